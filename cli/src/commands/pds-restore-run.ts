import {
  type BlobLocation,
  findBackup,
  openBlobStore,
  type RestoreReport,
  restoreBackup,
} from '@imago/pds/backup'
import type { Finding } from '@imago/pds/recovery'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { createBackupProgress } from './backup-progress.ts'
import type { RestoreCommandOptions } from './pds-restore.ts'
import { errorsIn } from './restored-errors.ts'
import { serverConfig } from './server-config.ts'
import { withRepository } from './with-repository.ts'

/** Restores a backup, checks what came of it, and prints what is to be done next. */
export async function runRestore(options: RestoreCommandOptions): Promise<ExitCode> {
  const { from, to, force = false, keepSessions = false, endAppPasswords = false, sequence } = options
  const at = options.at === undefined ? undefined : timeOrName(options.at)
  const bucket = options.intoBucket ? bucketOfEnvironment() : undefined
  const progress = createBackupProgress()
  return withRepository(from, options, 'read', async (repository) => {
    const backup = await findBackup(repository, at)
    await using blobs = bucket && (await openBlobStore(bucket))
    const report = await restoreBackup({
      repository,
      backup: backup.key,
      target: to,
      ...(blobs && { blobs }),
      force,
      keepSessions,
      endAppPasswords,
      ...(sequence !== undefined && { sequence }),
      now: Date.now,
      ...(!options.json && { onProgress: progress.show }),
    })
    const findings = options.verify ? await errorsIn(to, bucket) : undefined
    progress.clear()
    print(options, backup.key, report, findings)
    return (findings ?? []).length === 0 && report.missingBlobs.length === 0 ? EXIT.ok : EXIT.failed
  })
}

/** @throws {CliError} usage */
function bucketOfEnvironment(): BlobLocation {
  const config = serverConfig('--into-bucket needs the environment of the server.')
  if (config.blobsBucket !== undefined) return config
  throw new CliError(EXIT.usage, '--into-bucket needs a bucket: set PDS_BLOBSTORE_S3_BUCKET, or leave it out')
}

/** @throws {CliError} usage */
function timeOrName(text: string): number | string {
  if (/\.json$/.test(text)) return text
  const time = Date.parse(text)
  if (Number.isNaN(time))
    throw new CliError(
      EXIT.usage,
      `--at ${text} is neither a time such as 2026-11-21T04:00Z nor a name that imago pds backups lists`,
    )
  return time
}

function print(
  { to, json, keepSessions }: RestoreCommandOptions,
  backup: string,
  report: RestoreReport,
  findings: readonly Finding[] | undefined,
): void {
  const {
    manifest,
    accounts,
    sequence,
    endedSessions,
    appPasswords,
    postponedDeletions,
    missingBlobs,
    fetched,
    environmentFile,
    keepYourself,
    putAside,
  } = report
  if (json) {
    process.stdout.write(
      `${JSON.stringify({
        backup,
        createdAt: new Date(manifest.createdAt).toISOString(),
        dataDirectory: to,
        accounts,
        sequence,
        endedSessions,
        appPasswords,
        postponedDeletions,
        missingBlobs,
        fetched,
        environmentFile,
        keepYourself,
        putAside: putAside ?? null,
        ...(findings && { findings }),
      })}\n`,
    )
    return
  }
  const lines = [
    `restored ${backup} to ${to}: ${accounts} accounts as they were at ${new Date(manifest.createdAt).toISOString()}`,
    `the settings of the server are in ${environmentFile}: set PDS_DATA_DIRECTORY to ${to}, and leave out PDS_BLOBSTORE_DISK_LOCATION`,
    `events go on after number ${sequence}; the first start announces every account anew`,
  ]
  if (!keepSessions) lines.push(`${endedSessions} sessions have ended: people sign in again`)
  const at = new Date(manifest.createdAt).toISOString()
  if (appPasswords > 0)
    lines.push(
      `passwords, and ${appPasswords} app passwords, are those of ${at}: who changed one or took one back since must do so again (--end-app-passwords forgets the latter)`,
    )
  if (postponedDeletions > 0)
    lines.push(
      `${postponedDeletions} deactivated accounts go in 30 days at the earliest: their owners may have come back`,
    )
  if (keepYourself.length > 0)
    lines.push(`not in the backup, to be set from where you keep them: ${keepYourself.join(', ')}`)
  if (putAside !== undefined) lines.push(`the database that was there is now ${putAside}`)
  for (const { did, cid } of missingBlobs)
    lines.push(`missing: the server had lost the blob ${cid} of ${did}`)
  if (findings?.length === 0) lines.push('checked all of it, and found nothing wrong')
  for (const { code, message } of findings ?? []) lines.push(`wrong: ${code}: ${message}`)
  process.stdout.write(`${lines.join('\n')}\n`)
}
