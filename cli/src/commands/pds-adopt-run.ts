import {
  AdoptError,
  type AdoptionProgress,
  type AdoptionReport,
  type AdoptOptions,
  adoptReference,
  type HandBackReport,
  handBackToReference,
  isComplete,
  type VerificationReport,
  verifyAdoption,
} from '@imago/pds/adopt'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'

type Options = Pick<
  AdoptOptions,
  'source' | 'environmentFile' | 'dataDirectory' | 'blobsDirectory' | 'dryRun'
> & { readonly json: boolean }

/** Takes over, and prints what came of it. */
export async function adopt(options: Options): Promise<ExitCode> {
  const report = await run(options, adoptReference)
  print(options, report, adoptionText(report))
  return isComplete(report) ? EXIT.ok : EXIT.failed
}

/** Compares, and prints what differs. */
export async function verify(options: Options): Promise<ExitCode> {
  const report = await run(options, verifyAdoption)
  print(options, report, verificationText(report))
  return report.differences.length === 0 ? EXIT.ok : EXIT.failed
}

/** Hands back, and prints what was written. */
export async function handBack(options: Options): Promise<ExitCode> {
  const report = await run(options, handBackToReference)
  print(options, report, handBackText(report))
  return report.failed.length === 0 ? EXIT.ok : EXIT.failed
}

async function run<Report>(
  options: Options,
  work: (options: AdoptOptions) => Promise<Report>,
): Promise<Report> {
  const progress = createProgress(options.json)
  try {
    return await work({
      ...options,
      environment: process.env,
      now: Date.now,
      onProgress: progress.show,
    })
  } catch (error) {
    if (error instanceof AdoptError || (error as Error).name === 'DataDirectoryInUseError')
      throw new CliError(EXIT.usage, (error as Error).message, { cause: error })
    if ((error as Error).name === 'ObjectStoreError')
      throw new CliError(
        EXIT.failed,
        `the bucket of blobs: ${(error as Error).message}\nRun this again: it goes on with the accounts that are missing.`,
        { cause: error },
      )
    throw error
  } finally {
    progress.end()
  }
}

const LINE_EVERY_MS = 5000
const REDRAW_EVERY_MS = 100

/** One line that is redrawn on a terminal; elsewhere a line now and then. On the error stream: results are on the other. */
function createProgress(silent: boolean): { show(progress: AdoptionProgress): void; end(): void } {
  const isTerminal = process.stderr.isTTY === true
  let shownAt = performance.now()
  let drawn = false
  return {
    show({ account, done, total }) {
      const at = performance.now()
      if (silent || account === undefined || at - shownAt < (isTerminal ? REDRAW_EVERY_MS : LINE_EVERY_MS))
        return
      shownAt = at
      const text = `${done} of ${total} accounts, at ${account}`
      process.stderr.write(isTerminal ? `\r\x1b[K${text}` : `${text}\n`)
      drawn = isTerminal
    },
    end() {
      if (drawn) process.stderr.write('\r\x1b[K')
    },
  }
}

function print(options: Options, report: unknown, text: string): void {
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : text)
}

function adoptionText(report: AdoptionReport): string {
  const { adopted, already, accounts, refused, lostBlobs, resigned, carried, settings } = report
  const seconds = report.elapsedMs / 1000
  const lines = [
    `${report.dryRun ? 'would adopt' : 'adopted'} ${adopted} of ${accounts} accounts${already > 0 ? ` (${already} were here already)` : ''} from ${report.source} in ${seconds.toFixed(1)} s`,
    `  ${report.records} records, ${report.blobs} blobs (${report.blobBytes} bytes), ${report.sessions} sessions`,
    `  the stream goes on after ${report.sequence}; ${report.events} events can be replayed`,
    `  blobs ${report.dryRun ? 'would lie' : 'lie'} in ${report.blobsDirectory ?? `s3://${report.blobsBucket}`}`,
    `  sign-up is ${report.inviteRequired ? 'for invited people, as it was: PDS_INVITE_REQUIRED=false opens it' : 'open, as it was'}`,
    ...Object.entries(carried)
      .filter(([, rows]) => rows > 0)
      .map(([table, rows]) => `  ${rows} of ${table}`),
  ]
  if (report.recordTakedowns + report.blobTakedowns > 0)
    lines.push(
      `  ${report.recordTakedowns} records and ${report.blobTakedowns} blobs are taken down: that is kept, and nothing hides the records yet`,
    )
  const kept = KEPT_ONLY.filter((table) => (carried[table] ?? 0) > 0)
  if (kept.length > 0) lines.push(`  kept, and not used yet: ${kept.join(', ')}`)
  for (const { did, reason } of resigned) lines.push(`  signed a new commit for ${did}: ${reason}`)
  for (const { did, cid, reason } of lostBlobs) lines.push(`LOST blob ${cid} of ${did}: ${reason}`)
  for (const { did, handle, reason } of refused) lines.push(`REFUSED ${did} (${handle}): ${reason}`)
  if (refused.length > 0) lines.push('run this again once they are mended: the others stay as they are')
  if (Object.keys(settings).length > 0) {
    lines.push('start `imago pds` with the environment of the reference, and beside it:')
    for (const [name, value] of Object.entries(settings)) lines.push(`  ${name}=${value}`)
  } else if (!report.dryRun) lines.push('start `imago pds` with the environment of the reference')
  return `${lines.join('\n')}\n`
}

/** Tables whose rows came along, and that nothing reads yet. */
const KEPT_ONLY = [
  'invite_code',
  'reserved_key',
  'authorization_request',
  'device',
  'device_account',
  'account_device',
  'authorized_client',
  'token',
  'used_refresh_token',
  'lexicon',
  'pending_plc_operation',
]

function verificationText({ accounts, same, movedOn, differences, unreachable }: VerificationReport): string {
  const lines = [`${same} of ${accounts} accounts are as they were, ${movedOn} have moved on since`]
  if (unreachable > 0)
    lines.push(`  the DID documents of ${unreachable} could not be had, and were not compared`)
  for (const { did, what } of differences) lines.push(`DIFFERENT ${did}: ${what}`)
  return `${lines.join('\n')}\n`
}

function handBackText(report: HandBackReport): string {
  const { changed, created, removed, unchanged, sequence, failed, lost, dryRun } = report
  const lines = [
    `${dryRun ? 'would hand' : 'handed'} back ${changed} changed, ${created} new and ${removed} removed accounts; ${unchanged} are as they were`,
    `  its stream goes on after ${sequence}`,
    ...lost.map((what) => `  not carried: ${what}`),
    ...failed.map(({ did, reason }) => `FAILED ${did}: ${reason}`),
  ]
  if (!dryRun && failed.length === 0) lines.push('start the reference PDS, and leave `imago pds` stopped')
  return `${lines.join('\n')}\n`
}
