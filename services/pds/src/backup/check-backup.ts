import { BackupError } from './backup-error.ts'
import { type BackupRepository, BLOBS, CHUNKS } from './backup-repository.ts'
import type { BackupProgress } from './create-backup.ts'
import { inParallel } from './in-parallel.ts'
import { readLists } from './name-lists.ts'

const WIDTH = 4

export interface CheckReport {
  /** Objects that the backup names, each of them there. */
  readonly objects: number
  /** Objects that were read back whole. */
  readonly read: number
}

/**
 * Whether a backup can be read: its manifest and lists, that everything they name is there, and that what `read` names
 * opens with our keys and is what it was. What a test restore would find beyond that, only a test restore finds.
 *
 * @param read keys of objects to read back: those that were sent just now.
 * @throws {BackupError} `Missing`, `Damaged`, naming the first object that is.
 */
export async function checkBackup(
  repository: BackupRepository,
  backup: string,
  { read, onProgress }: { read: readonly string[]; onProgress?: (progress: BackupProgress) => void },
): Promise<CheckReport> {
  const named = await namedBy(repository, backup)
  const present = await repository.objects()
  for (const key of named)
    if (!present.has(key))
      throw new BackupError(
        'Missing',
        `${key} is not in the repository, and ${backup} names it: make another backup`,
        {
          key,
        },
      )
  let done = 0
  await inParallel(read, WIDTH, async (key) => {
    if (key.startsWith(CHUNKS)) await repository.getChunk(key)
    else for await (const _ of await repository.getBlob(key));
    onProgress?.({ part: 'check', done: ++done, total: read.length })
  })
  return { objects: named.size, read: read.length }
}

/** Keys of all objects that a backup names. */
export async function namedBy(repository: BackupRepository, backup: string): Promise<Set<string>> {
  const { database, blobs, configuration } = await repository.readManifest(backup)
  const named = new Set<string>([configuration, ...database.lists, ...blobs.lists])
  for await (const key of readLists(repository, database.lists, CHUNKS)) named.add(key)
  for await (const key of readLists(repository, blobs.lists, BLOBS)) named.add(key)
  return named
}
