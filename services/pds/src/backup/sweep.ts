import { type BackupEntry, type BackupRepository, BLOBS, CHUNKS } from './backup-repository.ts'
import { inParallel } from './in-parallel.ts'
import { readLists } from './name-lists.ts'

const WIDTH = 4

export interface SweepReport {
  readonly removedBackups: readonly BackupEntry[]
  readonly removedObjects: number
  /** Somebody was at work, so that nothing was done: the next run will. */
  readonly postponed: boolean
}

/**
 * Removes backups beyond the newest `keep`, then every object that no remaining backup names. Alone: while a backup is
 * being made elsewhere, nothing is removed. Manifests go first, so that one that is killed leaves no backup with holes.
 *
 * @throws {BackupError} `Damaged` when a remaining manifest cannot be read: what it names is unknown, so nothing goes.
 */
export async function sweep(
  repository: BackupRepository,
  { keep }: { keep: number | undefined },
): Promise<SweepReport> {
  await using lease = await repository.takeLease('alone')
  if (lease === undefined) return { removedBackups: [], removedObjects: 0, postponed: true }

  const backups = await repository.backups()
  const kept = keep === undefined ? backups : backups.slice(-keep)
  // Before anything goes: a backup that cannot be read must stop this.
  const named = await namedBy(repository, kept)

  const removedBackups = backups.slice(0, backups.length - kept.length)
  for (const { key } of removedBackups) {
    lease.assertHeld()
    await repository.remove(key)
  }
  const stray = [...(await repository.objects())].filter((key) => !named.has(key))
  await inParallel(stray, WIDTH, async (key) => {
    lease.assertHeld()
    await repository.remove(key)
  })
  await repository.removeUnfinished()
  return { removedBackups, removedObjects: stray.length, postponed: false }
}

/** Keys of all that these backups need. */
async function namedBy(repository: BackupRepository, backups: readonly BackupEntry[]): Promise<Set<string>> {
  const named = new Set<string>()
  for (const { key } of backups) {
    const { database, blobs, configuration } = await repository.readManifest(key)
    named.add(configuration)
    for (const [lists, prefix] of [
      [database.lists, CHUNKS],
      [blobs.lists, BLOBS],
    ] as const)
      for (const list of lists) {
        // Backups share most of their lists.
        if (named.has(list)) continue
        for await (const name of readLists(repository, [list], prefix)) named.add(name)
        named.add(list)
      }
  }
  return named
}
