import { concatBytes } from '@imago/data'
import { parseCheckpointText } from '../checkpoint.ts'
import { TlogError } from '../tlog-error.ts'

const encoder = new TextEncoder()

/**
 * What a cosigner signs of a checkpoint.
 * @param time seconds since the Unix epoch.
 * @param text of the checkpoint, as it stands in the note.
 * @throws {TlogError} `InvalidCheckpoint`
 * @see https://c2sp.org/tlog-cosignature
 */
export function cosignedMessage(
  type: 'ed25519-cosignature' | 'ml-dsa-44-cosignature',
  name: string,
  time: number,
  text: string,
): Uint8Array {
  const { origin, size, root } = parseCheckpointText(text)
  if (type === 'ed25519-cosignature') return encoder.encode(`cosignature/v1\ntime ${time}\n${text}`)
  return concatBytes([
    encoder.encode('subtree/v1\n\0'),
    withLength(name),
    uint64(time),
    withLength(origin),
    uint64(0),
    uint64(size),
    root,
  ])
}

function withLength(text: string): Uint8Array {
  const bytes = encoder.encode(text)
  if (bytes.length > 255)
    throw new TlogError(
      'InvalidCheckpoint',
      `a name or origin of ${bytes.length} bytes, and at most 255 can be signed`,
    )
  return concatBytes([Uint8Array.of(bytes.length), bytes])
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}
