import { createHmac, hkdfSync } from 'node:crypto'

/** What one data key is for. Each purpose has its own key, so that none says anything about another. */
export interface BackupKeys {
  /** Key of one object: of its place and its salt, so that no two objects are ever encrypted by the same. */
  objectKey(place: string, salt: Uint8Array): Uint8Array
  /** Names a piece of plaintext: the same for the same bytes, and of no meaning to whoever lacks the key. */
  nameOf(kind: 'chunk' | 'blob', content: Uint8Array): Uint8Array
}

export const DATA_KEY_BYTES = 32
export const NAME_BYTES = 32

export function deriveBackupKeys(dataKey: Uint8Array): BackupKeys {
  const derive = (purpose: string) =>
    new Uint8Array(hkdfSync('sha256', dataKey, new Uint8Array(0), `imago backup ${purpose}`, DATA_KEY_BYTES))
  const encryption = derive('encryption')
  const names = { chunk: derive('names of chunks'), blob: derive('names of blobs') }
  return {
    objectKey: (place, salt) => createHmac('sha256', encryption).update(salt).update(place).digest(),
    nameOf: (kind, content) => createHmac('sha256', names[kind]).update(content).digest(),
  }
}
