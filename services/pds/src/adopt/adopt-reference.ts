import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { ConfigError } from '@imago/service'
import { readConfig } from '../config.ts'
import { makeDataDirectory } from '../database/data-directory.ts'
import { lockDataDirectory } from '../database/data-directory-lock.ts'
import { DATABASE_FILE } from '../database/database.ts'
import { handleOf } from './account-writer.ts'
import {
  type AccountOutcome,
  type AdoptionSource,
  type AdoptionTarget,
  adoptAccount,
} from './adopt-account.ts'
import { AdoptError, CorruptAccountError } from './adopt-error.ts'
import { type AdoptionFolders, adoptionFolders, scratchFolder } from './adoption-folders.ts'
import type { AdoptionProgress, AdoptionReport } from './adoption-report.ts'
import { readAdoptionState, writeAdoptionState } from './adoption-state.ts'
import { countAccount, createTally, type Tally } from './adoption-tally.ts'
import { makeDurable, openTarget } from './adoption-target.ts'
import { announceRepairs } from './announce-repairs.ts'
import { createAnnouncedRevs } from './announced-revs.ts'
import { carryEvents } from './carry-events.ts'
import { carryHostTables } from './carry-host-tables.ts'
import { changedSettings } from './changed-settings.ts'
import { holderOf } from './file-holders.ts'
import { openBlobCarrier } from './open-blob-carrier.ts'
import type { ReferenceAccount } from './reference-accounts.ts'
import { createReferenceAccounts } from './reference-accounts.ts'
import {
  type ReferenceEnvironment,
  readReferenceEnvironment,
  takesInvitedOnly,
} from './reference-environment.ts'
import { findReferenceLayout, type ReferenceLayout } from './reference-layout.ts'
import { assertKnownSchema } from './reference-schema.ts'
import { fingerprint, openSourceDatabase } from './source-database.ts'

export interface AdoptOptions {
  /** Data directory of the reference PDS. */
  readonly source: string
  /** Default: `pds.env` in it, else {@link AdoptOptions.environment}. */
  readonly environmentFile?: string | undefined
  /** Variables of this process. */
  readonly environment: ReferenceEnvironment
  /** Where our database goes. Default: beside the reference's. */
  readonly dataDirectory?: string | undefined
  /** Folder where blobs go. Default: beside the reference's, in its folder or bucket. */
  readonly blobsDirectory?: string | undefined
  /** Check everything, and write nothing. */
  readonly dryRun?: boolean | undefined
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly onProgress?: (progress: AdoptionProgress) => void
}

const DEFAULT_REPLAY_WINDOW_MS = 24 * 3_600_000

/**
 * Takes over the accounts of a reference PDS: repositories, keys, blobs, sessions, and everything else that it knows.
 * Its files are read, and never written. May be stopped at any moment, and started again.
 * @returns what was done; accounts that are not whole are left out, and named there.
 * @throws {AdoptError} before anything was written.
 */
export async function adoptReference(options: AdoptOptions): Promise<AdoptionReport> {
  const { now, dryRun = false } = options
  const startedAt = now()
  const { environment, file } = readReferenceEnvironment(
    options.source,
    options.environmentFile,
    options.environment,
  )
  const layout = findReferenceLayout(options.source, environment)
  assertStopped(layout)
  const fingerprints = fingerprintsOf(layout)
  const { settings, replayWindowMs } = settingsOf(environment, layout)
  const folders = adoptionFolders(layout, environment, options)
  const inviteRequired = takesInvitedOnly(environment)
  const scratch = dryRun ? mkdtempSync(join(tmpdir(), 'adoption-')) : scratchFolder(folders)

  await using stack = new AsyncDisposableStack()
  const blobs = stack.use(await openBlobCarrier(layout, folders, { dryRun }))
  if (!dryRun) {
    makeDataDirectory(folders.dataDirectory)
    stack.use(lockDataDirectory(folders.dataDirectory))
  }
  stack.defer(() => rmSync(scratch, { recursive: true, force: true }))
  const accountDatabase = stack.use(openSourceDatabase(layout.accountDatabase, join(scratch, 'account')))
  const sequencer = stack.use(openSourceDatabase(layout.sequencerDatabase, join(scratch, 'sequencer')))
  assertKnownSchema(accountDatabase.sqlite, 'account', layout.accountDatabase)
  assertKnownSchema(sequencer.sqlite, 'sequencer', layout.sequencerDatabase)

  const target = dryRun ? undefined : stack.use(openTarget(folders, layout, blobs.sync, startedAt))
  const isFirst = target === undefined || readAdoptionState(target.sqlite)?.state !== 'done'
  if (target !== undefined && isFirst)
    writeAdoptionState(target.sqlite, { source: layout.folder, state: 'running', at: startedAt })

  const source = {
    layout,
    accounts: createReferenceAccounts(accountDatabase.sqlite),
    announcedRev: createAnnouncedRevs(sequencer.sqlite),
    blobs,
    scratch: join(scratch, 'actor'),
  }
  const list = source.accounts.list()
  if (target !== undefined) assertNotGoneOn(source, target, folders.dataDirectory)
  const tally = createTally()
  for (const [index, account] of list.entries()) {
    options.onProgress?.({ account: account.did, done: index, total: list.length })
    if (target?.journal.get(account.did)?.state === 'adopted') tally.already++
    else await adoptOne(account, () => adoptAccount(account, source, target, now()), target, tally, now)
  }
  target?.writes.flush()
  options.onProgress?.({ account: undefined, done: list.length, total: list.length })

  const carried = inTransaction(target?.sqlite, () =>
    carryHostTables(accountDatabase.sqlite, layout, target?.sqlite, now()),
  )
  const { sequence, events } = isFirst
    ? await carryEvents(sequencer.sqlite, target?.sqlite, now() - replayWindowMs, (did) =>
        target?.journal.mustAnnounce(did),
      )
    : { sequence: readAdoptionState(target.sqlite)!.sequence!, events: 0 }
  if (fingerprintsOf(layout) !== fingerprints)
    throw new AdoptError(
      'Changed',
      `${layout.folder} changed while it was read: the reference PDS was started. Stop it, remove ${join(folders.dataDirectory, DATABASE_FILE)}, and begin anew`,
    )
  if (target !== undefined) {
    await announceRepairs(target, now)
    makeDurable(target.sqlite, () =>
      writeAdoptionState(target.sqlite, {
        source: layout.folder,
        state: 'done',
        at: now(),
        sequence,
        inviteRequired,
      }),
    )
  }
  return {
    source: layout.folder,
    environmentFile: file,
    dataDirectory: folders.dataDirectory,
    ...placeOfBlobs(folders),
    dryRun,
    accounts: list.length,
    ...tally,
    carried,
    sequence,
    events,
    inviteRequired,
    settings: { ...settings, ...changedSettings(environment, layout, folders) },
    elapsedMs: now() - startedAt,
  }
}

function placeOfBlobs({
  blobsDirectory,
  blobsBucket,
}: AdoptionFolders): Pick<AdoptionReport, 'blobsDirectory' | 'blobsBucket'> {
  return blobsBucket === undefined
    ? { blobsDirectory, blobsBucket: undefined }
    : { blobsDirectory: undefined, blobsBucket: `${blobsBucket.bucket}/${blobsBucket.prefix}` }
}

/** @throws {AdoptError} InUse while a process has one of the databases open. */
export function assertStopped(layout: ReferenceLayout): void {
  for (const path of [layout.accountDatabase, layout.sequencerDatabase]) {
    const holder = holderOf(path)
    if (holder !== undefined)
      throw new AdoptError(
        'InUse',
        `${path} is open in process ${holder.pid}: stop the reference PDS first, and keep it from starting again`,
      )
  }
}

/**
 * What came over in an earlier run must still be the newest.
 * @throws {AdoptError} Changed when the reference has served since.
 */
function assertNotGoneOn(
  { layout, accounts }: AdoptionSource,
  { journal }: AdoptionTarget,
  folder: string,
): void {
  for (const { did, state, rev } of journal.list()) {
    const there = accounts.rootRev(did)
    if (state === 'adopted' && there !== undefined && there > rev!)
      throw new AdoptError(
        'Changed',
        `${layout.folder} has been served by the reference PDS since it was taken over: ${did} is at ${there}, and came at ${rev}. If nothing was written to ${join(folder, DATABASE_FILE)} since, remove it and begin anew; otherwise the two have parted, and one of them has to be given up`,
      )
  }
}

const fingerprintsOf = ({ accountDatabase, sequencerDatabase }: ReferenceLayout) =>
  [accountDatabase, sequencerDatabase].map(fingerprint).join(' ')

/** What its settings say to us, if they are there at all. */
function settingsOf(
  environment: ReferenceEnvironment,
  layout: ReferenceLayout,
): { settings: Record<string, string>; replayWindowMs: number } {
  if (environment['PDS_JWT_SECRET'] === undefined)
    return {
      settings: {
        PDS_JWT_SECRET: `as the reference had it: no environment file was found in ${layout.folder}, and without that secret every session ends`,
      },
      replayWindowMs: DEFAULT_REPLAY_WINDOW_MS,
    }
  try {
    return { settings: {}, replayWindowMs: readConfig(environment).config.replayWindowMs }
  } catch (cause) {
    if (!(cause instanceof ConfigError) && !(cause instanceof TypeError)) throw cause
    throw new AdoptError(
      'Environment',
      `the environment of the reference PDS does not fit: ${cause.message}`,
      { cause },
    )
  }
}

async function adoptOne(
  account: ReferenceAccount,
  adopt: () => Promise<AccountOutcome>,
  target: AdoptionTarget | undefined,
  tally: Tally,
  now: () => number,
): Promise<void> {
  const { did } = account
  try {
    countAccount(tally, did, await adopt())
  } catch (error) {
    if (!(error instanceof CorruptAccountError)) throw error
    tally.refused.push({ did, handle: handleOf(account), reason: error.message })
    if (target === undefined) return
    target.writes.write(0, () => {
      target.journal.begin(did, now())
      target.journal.refused(did, error.message, now())
    })
  }
}

function inTransaction<T>(sqlite: DatabaseSync | undefined, work: () => T): T {
  if (sqlite === undefined) return work()
  sqlite.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    sqlite.exec('COMMIT')
    return result
  } catch (error) {
    if (sqlite.isTransaction) sqlite.exec('ROLLBACK')
    throw error
  }
}
