import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openFolderStore } from '@imago/object-store/folder'
import {
  type BackupRepository,
  checkBackup,
  createBackup,
  findBackup,
  openBlobStore,
  openOrCreateBackupRepository,
  restoreBackup,
} from '@imago/pds/backup'
import { verifyDataDirectory } from '@imago/pds/recovery'
import { DATA } from './scene.ts'

const BACKUPS = 'backups'

/** The repository of backups of a scene, in a folder of its own. */
export const backupsOf = async (root: string, now: () => number): Promise<BackupRepository> =>
  openOrCreateBackupRepository({
    store: await openFolderStore({ folder: join(root, BACKUPS) }),
    secret: { kind: 'passphrase', passphrase: 'correct horse' },
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    now,
    holder: { machine: 'this one', pid: process.pid },
    isAlive: (pid) => pid === process.pid,
    kdfCost: { N: 16, r: 8, p: 1 },
  })

/** Backs up the data directory of a scene. Returns the key. */
export async function backUp(root: string, now: () => number): Promise<string> {
  const dataDirectory = join(root, DATA)
  await using blobs = await openBlobStore({ blobsDirectory: join(dataDirectory, 'blobs') })
  const { backup } = await createBackup({
    repository: await backupsOf(root, now),
    dataDirectory,
    blobs,
    configuration: { environment: { PDS_HOSTNAME: 'pds.test' }, keepYourself: [] },
    publicUrl: 'https://pds.test',
    now,
  })
  return backup.key
}

/** Restores the newest backup, or the one that is named, into a folder of the scene. */
export async function restore(
  root: string,
  target: string,
  now: () => number,
  key?: string,
): Promise<string> {
  const repository = await backupsOf(root, now)
  const backup = key ?? (await findBackup(repository)).key
  await restoreBackup({ repository, backup, target: join(root, target), now })
  return backup
}

/** Whenever a clock was set, by now it has come to where it was. */
const LATER_MS = 2 * 3_600_000

/**
 * That every backup that is there can be read to its last byte, and that the newest comes back without an error, with
 * every repository where it was.
 * @returns their keys, oldest first, and the heads of repositories in the newest, by DID.
 */
export async function assertBackupsWhole(
  root: string,
  now: () => number,
): Promise<{ keys: readonly string[]; heads: ReadonlyMap<string, string> }> {
  const repository = await backupsOf(root, now)
  const keys = (await repository.backups()).map(({ key }) => key)
  for (const key of keys) await checkBackup(repository, key, { read: [] })
  if (keys.length === 0) return { keys, heads: new Map() }
  const target = 'restored to look'
  rmSync(join(root, target), { recursive: true, force: true })
  const later = () => now() + LATER_MS
  await restore(root, target, later)
  const findings = await Array.fromAsync(
    verifyDataDirectory({ dataDirectory: join(root, target), now: later }),
  )
  assert.deepEqual(
    findings.filter(({ type }) => type === 'finding'),
    [],
    'the newest backup, restored',
  )
  return { keys, heads: headsIn(root, target) }
}

/** Where repositories stand in a data directory, by DID. */
export function headsIn(root: string, data: string): ReadonlyMap<string, string> {
  using database = new DatabaseSync(join(root, data, 'pds.sqlite'), { readOnly: true })
  const rows = database.prepare('SELECT did, hex(head) AS head FROM repo').all()
  return new Map(rows.map(({ did, head }) => [String(did), String(head)]))
}
