import type { Cid } from '@imago/data'
import type { BackupRepository } from './backup-repository.ts'

/** Sends objects to a repository, each once, and none that is there already. */
export interface ObjectSender {
  /** Keys of what was sent, in the order in which it arrived. */
  readonly sent: readonly string[]
  /** Bytes that went out. */
  readonly sentBytes: number
  /** @returns the key. */
  chunk(content: Uint8Array): Promise<string>
  /** @throws what `body` throws; then the blob may be sent again. */
  blob(cid: Cid, body: AsyncIterable<Uint8Array>): Promise<void>
}

/** @param present keys of what is there, which grows. */
export function createObjectSender(repository: BackupRepository, present: Set<string>): ObjectSender {
  const sent: string[] = []
  let sentBytes = 0

  async function send(key: string, put: () => Promise<number>): Promise<void> {
    if (present.has(key)) return
    // Before it arrives, so that it is not sent twice at the same time. A failure ends the backup, or takes it back.
    present.add(key)
    try {
      const bytes = await put()
      sentBytes += bytes
      sent.push(key)
    } catch (error) {
      present.delete(key)
      throw error
    }
  }

  return {
    sent,
    get sentBytes() {
      return sentBytes
    },
    async chunk(content) {
      const key = repository.chunkKey(content)
      await send(key, () => repository.putChunk(key, content))
      return key
    },
    async blob(cid, body) {
      const key = repository.blobKey(cid)
      await send(key, () => repository.putBlob(key, body))
    },
  }
}
