import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Did } from '@imago/syntax'
import { lockDataDirectory } from '../database/data-directory-lock.ts'
import { DATABASE_FILE, openDatabase } from '../database/database.ts'
import { AdoptError } from './adopt-error.ts'
import { type AdoptOptions, assertStopped } from './adopt-reference.ts'
import { adoptionFolders } from './adoption-folders.ts'
import { createAdoptionJournal } from './adoption-journal.ts'
import { readAdoptionState, writeAdoptionState } from './adoption-state.ts'
import type { BlobCarrier } from './blob-carrier.ts'
import { openBlobCarrier } from './open-blob-carrier.ts'
import { createReferenceAccounts } from './reference-accounts.ts'
import { readReferenceEnvironment } from './reference-environment.ts'
import { actorDatabase, actorFolder, findReferenceLayout, type ReferenceLayout } from './reference-layout.ts'
import { assertKnownSchema } from './reference-schema.ts'
import { type HandBackAccounts, handBackAccounts } from './return-accounts.ts'
import { returnBlobs } from './return-blobs.ts'
import { returnEvents } from './return-events.ts'
import { createActorStore, returnRepo } from './return-repo.ts'
import { returnReservedKeys } from './return-reserved-keys.ts'

/** What was written into the files of the reference. */
export interface HandBackReport {
  readonly dryRun: boolean
  /** Accounts of which something changed since they came. */
  readonly changed: number
  /** Accounts that came about here. */
  readonly created: number
  /** Accounts that were deleted here. */
  readonly removed: number
  readonly unchanged: number
  /** The last number of the stream there. */
  readonly sequence: number
  /** What the reference has no place for, in words. */
  readonly lost: readonly string[]
  /** Accounts that could not be written. */
  readonly failed: readonly { readonly did: string; readonly reason: string }[]
}

interface OurRepo {
  did: Did
  id: number
  signing_key: Uint8Array
}

/**
 * Writes what has changed since a takeover back into the reference's own files, in its own form, so that it can go on
 * where we stand: repositories, blobs, accounts made and deleted here, credentials, sessions, and the events of the
 * stream. May be stopped at any moment, and started again; until it has come to its end, neither server may run.
 * @throws {AdoptError} before anything was written.
 */
export async function handBackToReference(options: AdoptOptions): Promise<HandBackReport> {
  const { now, dryRun = false } = options
  const { environment } = readReferenceEnvironment(
    options.source,
    options.environmentFile,
    options.environment,
  )
  const layout = findReferenceLayout(options.source, environment)
  assertStopped(layout)
  const folders = adoptionFolders(layout, environment, options)
  const { dataDirectory } = folders
  if (!existsSync(join(dataDirectory, DATABASE_FILE))) throw notAdopted(dataDirectory, layout)

  await using stack = new AsyncDisposableStack()
  stack.use(lockDataDirectory(dataDirectory))
  const { sqlite: ours } = stack.use(openDatabase(join(dataDirectory, DATABASE_FILE)))
  const state = readAdoptionState(ours)
  if (state?.source !== layout.folder || state.state === 'running') throw notAdopted(dataDirectory, layout)
  const accounts = stack.adopt(new DatabaseSync(layout.accountDatabase), (database) => database.close())
  const sequencer = stack.adopt(new DatabaseSync(layout.sequencerDatabase), (database) => database.close())
  assertKnownSchema(accounts, 'account', layout.accountDatabase)
  assertKnownSchema(sequencer, 'sequencer', layout.sequencerDatabase)
  const blobs = stack.use(await openBlobCarrier(layout, folders, { dryRun }))

  const repos = ours
    .prepare('SELECT did, id, signing_key FROM repo ORDER BY id')
    .all() as unknown as OurRepo[]
  const theirs = new Set(
    createReferenceAccounts(accounts)
      .list()
      .map(({ did }) => did),
  )
  const removed = deletedHere(ours, repos, theirs)
  const template = repos.find(({ did }) => theirs.has(did) && existsSync(actorDatabase(layout, did)))
  const failed: { did: string; reason: string }[] = []
  const changed = new Set<Did>()
  const created = new Set<Did>()
  for (const [index, repo] of repos.entries()) {
    options.onProgress?.({ account: repo.did, done: index, total: repos.length })
    try {
      const isNew = !existsSync(actorDatabase(layout, repo.did))
      if (isNew && !dryRun) {
        if (template === undefined)
          throw new Error(`there is no store.sqlite below ${layout.actors} to make another one like`)
        createActorStore(layout, repo.did, repo.signing_key, actorDatabase(layout, template.did))
      }
      const didChange = (!isNew || !dryRun) && (await returnAccount(ours, repo, layout, blobs, dryRun, now()))
      if (isNew) created.add(repo.did)
      else if (didChange) changed.add(repo.did)
    } catch (error) {
      failed.push({ did: repo.did, reason: (error as Error).message })
    }
  }
  options.onProgress?.({ account: undefined, done: repos.length, total: repos.length })

  const returned: HandBackAccounts = handBackAccounts(ours, accounts, {
    removed,
    leftOut: new Set(failed.map(({ did }) => did)),
    dryRun,
    nowMs: now(),
  })
  for (const did of returned.changed) if (!created.has(did)) changed.add(did)
  const sequence = returnEvents(ours, sequencer, { after: state.sequence!, removed, dryRun, nowMs: now() })
  if (!dryRun) {
    for (const did of removed) {
      rmSync(actorFolder(layout, did), { recursive: true, force: true })
      await blobs.removeAll(did)
    }
    returnReservedKeys(ours, layout)
    if (failed.length === 0) writeAdoptionState(ours, { ...state, state: 'handed-back', at: now() })
  }
  return {
    dryRun,
    changed: changed.size,
    created: created.size,
    removed: removed.length,
    unchanged: repos.length - changed.size - created.size - failed.length,
    sequence,
    lost: returned.lost,
    failed,
  }
}

/** @returns whether anything was (or would be) written. */
async function returnAccount(
  ours: DatabaseSync,
  { did, id }: OurRepo,
  layout: ReferenceLayout,
  blobs: BlobCarrier,
  dryRun: boolean,
  nowMs: number,
): Promise<boolean> {
  using stack = new DisposableStack()
  const store = stack.adopt(new DatabaseSync(actorDatabase(layout, did)), (database) => database.close())
  assertKnownSchema(store, 'actor', actorDatabase(layout, did))
  store.exec('BEGIN IMMEDIATE')
  try {
    const returned = await returnBlobs(ours, store, { did, repo: id, blobs, dryRun })
    const repo = returnRepo(ours, store, { did, repo: id, nowMs })
    store.exec(dryRun ? 'ROLLBACK' : 'COMMIT')
    // Bytes go after the rows that name them.
    if (!dryRun) for (const place of returned.obsolete) await blobs.remove(place)
    return repo || returned.changed
  } catch (error) {
    if (store.isTransaction) store.exec('ROLLBACK')
    throw error
  }
}

/** Those that came over, and are not here any more. What was refused never came. */
function deletedHere(ours: DatabaseSync, repos: readonly OurRepo[], theirs: ReadonlySet<Did>): Did[] {
  const here = new Set(repos.map(({ did }) => did))
  return createAdoptionJournal(ours)
    .list()
    .filter(({ did, state }) => state === 'adopted' && theirs.has(did) && !here.has(did))
    .map(({ did }) => did)
}

const notAdopted = (dataDirectory: string, { folder }: ReferenceLayout) =>
  new AdoptError(
    'NotAdopted',
    `${dataDirectory} holds nothing that was taken over from ${folder}: name our data directory with --data`,
  )
