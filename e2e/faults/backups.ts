import assert from 'node:assert/strict'
import { join } from 'node:path'
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

/** That every backup that is there can be read to its last byte, and the newest comes back without an error. */
export async function assertBackupsWhole(root: string, now: () => number): Promise<readonly string[]> {
  const repository = await backupsOf(root, now)
  const keys = (await repository.backups()).map(({ key }) => key)
  for (const key of keys) await checkBackup(repository, key, { read: [] })
  if (keys.length === 0) return keys
  const target = 'restored to look'
  await restore(root, target, now)
  const findings = await Array.fromAsync(verifyDataDirectory({ dataDirectory: join(root, target), now }))
  assert.deepEqual(
    findings.filter(({ type }) => type === 'finding'),
    [],
    'the newest backup, restored',
  )
  return keys
}
