import type { BlobRef, Cid } from '@imago/data'
import type { ByteRange } from '@imago/object-store'
import type { Did } from '@imago/syntax'
import type { Restored } from '../database/restored-state.ts'
import type { BlobFiles } from './blob-files.ts'
import type { BlobIndex, BlobName, BlobQuota, BlobRow, BlobUsage } from './blob-index.ts'
import { createKeyLock } from './key-lock.ts'
import { sniffMimeType } from './sniff-mime-type.ts'
import { BlobDamagedError, verifiedBody } from './verified-body.ts'

/** Uploads, and what becomes of them. */
export interface Blobs {
  /**
   * Takes in a body. When it resolves, bytes and row survive a power cut; the blob is temporary until a commit refers to
   * it.
   * @param declaredType what the client says it is; what the bytes show wins.
   * @throws {BlobTooLargeError}
   * @throws {BlobRefusedError}
   */
  upload(did: Did, body: AsyncIterable<Uint8Array>, declaredType: string): Promise<BlobRef>
  /** A blob that a record refers to and that was not taken down; `undefined` for any other. */
  find(did: Did, cid: Cid): Promise<BlobRow | undefined>
  /**
   * The bytes of a blob, or some of them. Whole ones are hashed on their way: the last piece comes only if all are right.
   * @throws {BlobDamagedError} when they are gone, or of another size; so does the body when they are others.
   */
  read(did: Did, row: BlobRow, range?: ByteRange): Promise<AsyncIterator<Uint8Array>>
  /** Removes the bytes of an account whose rows are gone. What cannot be removed now, {@link Blobs.sweep} removes. */
  removeAll(did: Did): Promise<void>
  /**
   * Removes uploads that no record has referred to for {@link TEMPORARY_BLOB_LIFETIME_MS}, bytes without rows, and what
   * uploads that broke off left. Once in that time it looks through the whole store for bytes as old that a crash kept
   * from getting their row. Returns how many blobs went. For a while after a restore, nothing goes that the lost server
   * may have taken in, or referred to, since the backup.
   */
  sweep(): Promise<number>
}

/** The specification asks for an hour at least; a person may take longer over a post, and longer to regret a deletion. */
export const TEMPORARY_BLOB_LIFETIME_MS = 24 * 3_600_000

const PAGE = 100
const REMOVALS_AT_ONCE = 8

/** An upload that this account may not make. */
export class BlobRefusedError extends Error {
  readonly code: 'BlobTakenDown' | 'QuotaExceeded'

  constructor(code: BlobRefusedError['code'], message: string) {
    super(message)
    this.name = 'BlobRefusedError'
    this.code = code
  }
}

export function createBlobs(ports: {
  files: BlobFiles
  index: BlobIndex
  now: () => number
  maxBytes: number
  quota: BlobQuota
  /** The restore that this server came from. */
  restored?: Restored | undefined
  /** Told of bytes that could not be removed; they are tried again. */
  onRemovalFailure: (blob: BlobName, error: unknown) => void
}): Blobs {
  const { files, index, now, maxBytes, quota, restored, onRemovalFailure } = ports
  const exclusive = createKeyLock()
  const lockOf = ({ did, cid }: BlobName) => `${did} ${cid}`
  let searchedAt = Number.NEGATIVE_INFINITY

  /** Before bytes are kept that would have to go again. The index decides, with everybody else's uploads in view. */
  function assertRoom(usage: BlobUsage, count: number, bytes: number): void {
    if (usage.count + count > quota.maxCount || usage.bytes + bytes > quota.maxBytes)
      throw quotaExceeded(usage, quota)
  }

  /** Removes bytes that no row speaks of. */
  async function empty(did?: Did): Promise<number> {
    let removed = 0
    for (;;) {
      const page = [...(await index.listTrash(PAGE, did))]
      let failed = 0
      const worker = async () => {
        for (let blob = page.pop(); blob !== undefined; blob = page.pop()) {
          const trash = blob
          try {
            await exclusive(lockOf(trash), async () => {
              // Uploaded again meanwhile.
              if ((await index.get(trash.did, trash.cid)) === undefined) {
                await files.remove(trash.did, trash.cid)
                removed++
              }
              await index.removeTrash(trash)
            })
          } catch (error) {
            failed++
            onRemovalFailure(trash, error)
          }
        }
      }
      const { length } = page
      await Promise.all(Array.from({ length: REMOVALS_AT_ONCE }, worker))
      // What failed comes again with the next page: later.
      if (failed > 0 || length < PAGE) return removed
    }
  }

  /** Removes old bytes that never got a row: a crash came between the two, or the database said no. */
  async function removeStrays(before: number): Promise<number> {
    let removed = 0
    for await (const blob of files.olderThan(before)) {
      if (!(await index.isStray(blob))) continue
      try {
        await exclusive(lockOf(blob), async () => {
          // Uploaded again meanwhile.
          if (!(await index.isStray(blob))) return
          await files.remove(blob.did, blob.cid)
          removed++
        })
      } catch (error) {
        onRemovalFailure(blob, error)
      }
    }
    return removed
  }

  return {
    async upload(did, body, declaredType) {
      assertRoom(await index.usage(did), 0, 1)
      await using staged = await files.stage(did, body, maxBytes)
      const { cid, size, prefix } = staged
      const mimeType = sniffMimeType(prefix) ?? declaredType
      // Between the bytes' new name and their row, the sweeper must not come by and take them for rubbish.
      return await exclusive(lockOf({ did, cid }), async (): Promise<BlobRef> => {
        const known = await index.get(did, cid)
        if (known?.takedownRef !== undefined) throw takenDown(cid)
        if (known === undefined) assertRoom(await index.usage(did), 1, size)
        // What is there stays untouched: a store that spoils the second copy would take the first one with it.
        if (known === undefined || (await files.sizeOf(did, cid)) !== size) await staged.keep()
        const added = await index.add(did, { cid, mimeType, size, createdAt: now() }, quota)
        if (added.ok) return { $type: 'blob', ref: cid, mimeType: added.row.mimeType, size }
        if (added.reason === 'TakenDown') throw takenDown(cid)
        await files.remove(did, cid)
        if (added.reason === 'QuotaExceeded') throw quotaExceeded(added.usage, quota)
        throw new Error(`the account ${did} went away during an upload`)
      })
    },

    async find(did, cid) {
      const row = await index.get(did, cid)
      return row === undefined || row.temporary || row.takedownRef !== undefined ? undefined : row
    },

    async read(did, { cid, size }, range) {
      const object = await files.read(did, cid, range)
      if (object === undefined)
        throw new BlobDamagedError(
          `the bytes of blob ${cid} of ${did} are not in the blob store: restore them from a backup`,
        )
      if (object.size !== size) {
        await object.body[Symbol.asyncIterator]().return?.()
        throw new BlobDamagedError(
          `blob ${cid} of ${did} has ${object.size} bytes in the blob store, and ${size} by its row: restore it from a backup`,
        )
      }
      return range === undefined ? verifiedBody(object.body, cid, size) : object.body[Symbol.asyncIterator]()
    },

    async removeAll(did) {
      await empty(did)
    },

    async sweep() {
      const before = now() - TEMPORARY_BLOB_LIFETIME_MS
      const spared = restored !== undefined && now() < restored.keepUntil ? restored : undefined
      const from = spared?.restoredAt ?? 0
      while ((await index.removeExpired({ from, before }, PAGE)) === PAGE);
      const removed = await empty()
      await files.sweep(before)
      if (searchedAt > before) return removed
      const strays = await removeStrays(Math.min(before, spared?.keepFrom ?? before))
      searchedAt = now()
      return removed + strays
    },
  }
}

const takenDown = (cid: Cid) =>
  new BlobRefusedError('BlobTakenDown', `blob ${cid} has been taken down: it cannot be uploaded again`)

function quotaExceeded({ count, bytes }: BlobUsage, { maxCount, maxBytes }: BlobQuota): BlobRefusedError {
  const limits = [
    ...(Number.isFinite(maxBytes) ? [`${bytes} of ${maxBytes} bytes`] : []),
    ...(Number.isFinite(maxCount) ? [`${count} of ${maxCount} blobs`] : []),
  ].join(', ')
  return new BlobRefusedError(
    'QuotaExceeded',
    `the account has stored ${limits}, and this blob does not fit: delete records with blobs, or ask the operator for more`,
  )
}
