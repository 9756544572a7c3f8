import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pdsSettings } from '@imago/pds'
import {
  assertDataDirectory,
  type BackupError,
  type BackupReport,
  type BackupRepository,
  configurationOf,
  createBackup,
  openBlobStore,
  restoreBackup,
  type SweepReport,
  sweep,
  type TestRestoreReport,
} from '@imago/pds/backup'
import type { Finding } from '@imago/pds/recovery'
import { EXIT, type ExitCode } from '../cli-error.ts'
import { createBackupProgress } from './backup-progress.ts'
import type { BackupOptions, ListOptions } from './pds-backup.ts'
import { pdsFoldersOf } from './pds-data-options.ts'
import { errorsIn } from './restored-errors.ts'
import { serverConfig } from './server-config.ts'
import { cliErrorOf, withRepository } from './with-repository.ts'

/** Makes a backup, makes sure that it can be restored, clears old ones away, and prints what came of it. */
export async function runBackup(options: BackupOptions): Promise<ExitCode> {
  const config = serverConfig('A backup holds the settings of the server: run it with the same environment.')
  const { dataDirectory, blobsDirectory } = pdsFoldersOf(options)
  assertServed(dataDirectory)
  const isByHand = options.data !== undefined || options.blobs !== undefined
  const progress = createBackupProgress()
  const show = options.json ? undefined : progress.show
  return withRepository(options.to, options, 'write', async (repository) => {
    await using blobs = await openBlobStore(
      isByHand || config.blobsBucket === undefined ? { blobsDirectory } : config,
    )
    const report = await createBackup({
      repository,
      dataDirectory,
      blobs,
      configuration: configurationOf(pdsSettings, process.env, {
        withSecrets: repository.protection !== 'none',
      }),
      publicUrl: config.publicUrl,
      test: options.verify !== false,
      now: Date.now,
      ...(show && { onProgress: show }),
    })
    const findings = options.verify ? await verify(repository, report, options, show) : report.test?.findings
    // Old backups go only once the new one has been found good.
    const swept =
      findings === undefined || findings.length === 0 ? await clear(repository, options) : undefined
    progress.clear()
    print(options, report, findings, swept)
    const isGood = report.manifest.missingBlobs.length === 0 && (findings?.length ?? 0) === 0
    return isGood && (swept === undefined || !('error' in swept)) ? EXIT.ok : EXIT.failed
  })
}

/** Before anything is made: a mistaken folder is no reason to found a repository. */
function assertServed(dataDirectory: string): void {
  try {
    assertDataDirectory(dataDirectory)
  } catch (error) {
    throw cliErrorOf(error)
  }
}

/** Restores into a folder that goes away again. Returns what is wrong with it. */
async function verify(
  repository: BackupRepository,
  { backup, manifest }: BackupReport,
  { temporary = tmpdir() }: BackupOptions,
  show: ReturnType<typeof createBackupProgress>['show'] | undefined,
): Promise<Finding[]> {
  const target = await mkdtemp(join(temporary, 'imago-verify-'))
  try {
    await restoreBackup({
      repository,
      backup: backup.key,
      target,
      now: () => Math.max(Date.now(), manifest.createdAt),
      ...(show && { onProgress: show }),
    })
    return await errorsIn(target)
  } finally {
    await rm(target, { recursive: true, force: true })
  }
}

type Swept = SweepReport | { readonly error: string }

/** The backup stands whatever happens here. */
async function clear(repository: BackupRepository, { keep }: BackupOptions): Promise<Swept> {
  try {
    return await sweep(repository, { keep })
  } catch (error) {
    return { error: (error as BackupError).message }
  }
}

function print(
  { to, json, verify }: BackupOptions,
  { backup, manifest, sent, sentBytes, snapshotMs, test }: BackupReport,
  findings: readonly Finding[] | undefined,
  swept: Swept | undefined,
): void {
  const { accounts, database, blobs, missingBlobs, keepYourself } = manifest
  if (json) {
    const result = {
      backup: backup.key,
      createdAt: new Date(backup.createdAt).toISOString(),
      accounts,
      databaseBytes: database.bytes,
      blobs: blobs.count,
      blobBytes: blobs.bytes,
      sentObjects: sent.length,
      sentBytes,
      snapshotMs: Math.round(snapshotMs),
      missingBlobs,
      keepYourself,
      ...(test && { test: { ...test, elapsedMs: Math.round(test.elapsedMs), findings: undefined } }),
      ...(findings && { findings }),
      ...(swept && { swept }),
    }
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const lines = [
    `${backup.key} in ${to}: ${accounts} accounts, database of ${megabytes(database.bytes)}, ${blobs.count} blobs of ${megabytes(blobs.bytes)}; sent ${sent.length} objects, ${megabytes(sentBytes)}`,
  ]
  if (test !== undefined) lines.push(testLine(test))
  if (verify && findings?.length === 0)
    lines.push('restored all of it into a temporary folder, and found nothing wrong')
  for (const { code, message } of findings ?? []) lines.push(`wrong: ${code}: ${message}`)
  for (const { did, cid } of missingBlobs)
    lines.push(`missing: the server has lost the blob ${cid} of ${did}, and it is in no backup made now`)
  if (keepYourself.length > 0)
    lines.push(
      `not in this backup, since it is not encrypted: ${keepYourself.join(', ')}. Without them the accounts cannot be run: keep them elsewhere`,
    )
  if (swept !== undefined) lines.push(...sweptLines(swept))
  process.stdout.write(`${lines.join('\n')}\n`)
}

function testLine(test: TestRestoreReport): string {
  const { chunks, fetchedChunks, checkedAccounts, objects, readBlobs, findings, elapsedMs } = test
  const result = findings.length === 0 ? 'nothing is wrong' : `${findings.length} things are wrong`
  return `test restore: database restored, ${fetchedChunks} of ${chunks} pieces from the backup, ${checkedAccounts} accounts checked; all ${objects} objects are there, ${readBlobs} blobs read back; ${result}, in ${(elapsedMs / 1000).toFixed(1)} s`
}

function sweptLines(swept: Swept): string[] {
  if ('error' in swept) return [`old backups were not cleared away: ${swept.error}`]
  if (swept.postponed)
    return ['old backups were not cleared away, since another backup is being made: the next run will']
  const { removedBackups, removedObjects } = swept
  return removedBackups.length + removedObjects === 0
    ? []
    : [`cleared away ${removedBackups.length} old backups, ${removedObjects} objects`]
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

/** Prints what is in a repository, the oldest first. */
export async function listBackups(options: ListOptions): Promise<ExitCode> {
  return withRepository(options.from, options, 'read', async (repository) => {
    let code: ExitCode = EXIT.ok
    const rows = []
    for (const { key, createdAt } of await repository.backups()) {
      const row = { backup: key, createdAt: new Date(createdAt).toISOString() }
      try {
        const { accounts, database, blobs, missingBlobs, sequence } = await repository.readManifest(key)
        rows.push({
          ...row,
          accounts,
          databaseBytes: database.bytes,
          blobs: blobs.count,
          blobBytes: blobs.bytes,
          missingBlobs: missingBlobs.length,
          sequence,
        })
      } catch (error) {
        code = EXIT.failed
        rows.push({ ...row, error: (error as BackupError).message })
      }
    }
    process.stdout.write(
      options.json
        ? `${JSON.stringify(rows)}\n`
        : rows.map((row) => `${lineOf(row)}\n`).join('') || 'no backups\n',
    )
    return code
  })
}

type ListRow = { backup: string; createdAt: string } & (
  | { error: string }
  | { accounts: number; databaseBytes: number; blobs: number; blobBytes: number }
)

function lineOf(row: ListRow): string {
  const what =
    'error' in row
      ? row.error
      : `${row.accounts} accounts, database of ${megabytes(row.databaseBytes)}, ${row.blobs} blobs of ${megabytes(row.blobBytes)}`
  return `${row.createdAt}  ${row.backup.slice('backups/'.length)}  ${what}`
}
