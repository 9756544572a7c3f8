/** A signature: what must stand at an offset, in Latin-1. */
type Mark = readonly [offset: number, text: string]

const TYPES: readonly (readonly [mimeType: string, ...marks: Mark[]])[] = [
  ['image/jpeg', [0, '\xff\xd8\xff']],
  ['image/png', [0, '\x89PNG\r\n\x1a\n']],
  ['image/gif', [0, 'GIF87a']],
  ['image/gif', [0, 'GIF89a']],
  ['image/webp', [0, 'RIFF'], [8, 'WEBP']],
  ['image/avif', [4, 'ftypavif']],
  ['image/heic', [4, 'ftypheic']],
  ['image/heic', [4, 'ftypheix']],
  ['image/bmp', [0, 'BM'], [6, '\0\0\0\0']],
  ['image/tiff', [0, 'II*\0']],
  ['image/tiff', [0, 'MM\0*']],
  ['video/quicktime', [4, 'ftypqt  ']],
  ['audio/mp4', [4, 'ftypM4A ']],
  ['video/mp4', [4, 'ftyp']],
  ['video/webm', [0, '\x1a\x45\xdf\xa3']],
  ['audio/wav', [0, 'RIFF'], [8, 'WAVE']],
  ['video/x-msvideo', [0, 'RIFF'], [8, 'AVI ']],
  ['audio/mpeg', [0, 'ID3']],
  ['audio/ogg', [0, 'OggS']],
  ['audio/flac', [0, 'fLaC']],
  ['application/pdf', [0, '%PDF-']],
  ['application/zip', [0, 'PK\x03\x04']],
  ['application/gzip', [0, '\x1f\x8b']],
]

/**
 * The media type that the first bytes of a file show beyond doubt, or `undefined`. Only signatures of fixed bytes:
 * nothing is parsed, so that no hostile file can do harm here.
 */
export function sniffMimeType(prefix: Uint8Array): string | undefined {
  const found = TYPES.find(([, ...marks]) => marks.every((mark) => matches(prefix, mark)))
  return found?.[0]
}

function matches(prefix: Uint8Array, [offset, text]: Mark): boolean {
  if (prefix.length < offset + text.length) return false
  for (let i = 0; i < text.length; i++) if (prefix[offset + i] !== text.charCodeAt(i)) return false
  return true
}
