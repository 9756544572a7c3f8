import { readFileSync } from 'node:fs'
import { importKeypair, KeyError, type Keypair } from '@imago/crypto'
import { signCommit } from '@imago/repo'
import { type Did, isDid, type Tid, tidFromMicros, tidMicros } from '@imago/syntax'
import type { NewHead } from '../repos/repo-store.ts'
import type { AccountWriter } from './account-writer.ts'
import { AdoptError, CorruptAccountError } from './adopt-error.ts'
import type { AdoptionJournal } from './adoption-journal.ts'
import type { BlobCarrier } from './blob-carrier.ts'
import type { BoundedWrites } from './bounded-writes.ts'
import { type CarriedBlobs, carryBlobs } from './carry-blobs.ts'
import type { ReferenceAccount, ReferenceAccounts } from './reference-accounts.ts'
import { actorDatabase, actorKey, type ReferenceLayout } from './reference-layout.ts'
import { openReferenceRepo, type ReferenceRepo } from './reference-repo.ts'
import { assertKnownSchema } from './reference-schema.ts'
import { openSourceDatabase } from './source-database.ts'

/** Where accounts come from. */
export interface AdoptionSource {
  readonly layout: ReferenceLayout
  readonly accounts: ReferenceAccounts
  /** The revision that the stream spoke of last. */
  readonly announcedRev: (did: Did) => Tid | undefined
  readonly blobs: BlobCarrier
  /** Folder for copies of databases that have to be recovered. */
  readonly scratch: string
}

/** Where they go. */
export interface AdoptionTarget {
  readonly writes: BoundedWrites
  readonly writer: AccountWriter
  readonly journal: AdoptionJournal
}

/** What came of one account. */
export interface AccountOutcome {
  readonly records: number
  readonly bytes: number
  readonly blobs: CarriedBlobs
  readonly sessions: number
  readonly recordTakedowns: number
  /** Why its newest commit was signed anew, if it was. */
  readonly resigned: string | undefined
}

/**
 * Takes over one account: all of it, or nothing. A small one is a single transaction. What was copied of a larger one
 * does not show until its last transaction, and is removed when that never comes.
 * @param target `undefined` checks everything, and writes nothing.
 * @throws {CorruptAccountError} when it is not whole.
 */
export async function adoptAccount(
  account: ReferenceAccount,
  source: AdoptionSource,
  target: AdoptionTarget | undefined,
  nowMs: number,
): Promise<AccountOutcome> {
  const { did } = account
  target?.writes.begin()
  try {
    removeLeftovers(did, target)
    const outcome = await copy(account, source, target, nowMs)
    target?.writes.end()
    return outcome
  } catch (error) {
    const reason = understood(error)
    // Anything else ends the run, and what waits to be committed with it.
    if (reason instanceof CorruptAccountError && target?.writes.undo() === false) removeLeftovers(did, target)
    throw reason
  }
}

/** What was committed of an account that did not come to its end. */
function removeLeftovers(did: Did, target: AdoptionTarget | undefined): void {
  const row = target?.journal.get(did)
  if (row !== undefined) target!.writes.write(0, () => target!.journal.removeCopied(row.repo))
}

async function copy(
  account: ReferenceAccount,
  source: AdoptionSource,
  target: AdoptionTarget | undefined,
  nowMs: number,
): Promise<AccountOutcome> {
  const { did } = account
  if (!isDid(did)) throw new CorruptAccountError('its DID is not one')
  const { layout } = source
  const keypair = readKey(layout, did)
  using database = openSourceDatabase(actorDatabase(layout, did), source.scratch)
  const { sqlite } = database
  assertKnownSchema(sqlite, 'actor', actorDatabase(layout, did))
  const found = openReferenceRepo(sqlite, did, keypair.publicKey)
  const { head, resigned, mustAnnounce } = headOf(found, did, keypair, source.announcedRev(did), nowMs)

  const write = (bytes: number, work: (writer: AccountWriter, repo: number) => void) =>
    target?.writes.write(bytes, () => work(target.writer, repo))
  let repo = 0
  target?.writes.write(0, () => {
    repo = target.journal.begin(did, nowMs)
  })

  let records = 0
  let recordTakedowns = 0
  let bytes = 0
  for (const block of found.content()) {
    bytes += block.bytes.length
    write(block.bytes.length + ROW_BYTES, (writer) => {
      if (block.kind === 'node') writer.node(repo, block)
      else writer.record(repo, block)
    })
    if (block.kind === 'node') continue
    records++
    if (block.takedownRef !== null) recordTakedowns++
  }
  write(ROW_BYTES, (writer) => writer.references(repo, did, sqlite))

  const blobs = await carryBlobs(sqlite, did, source.blobs, target === undefined, (blob) =>
    write(ROW_BYTES, (writer) => writer.blob(repo, blob, nowMs)),
  )
  let sessions = 0
  write(ROW_BYTES, (writer) => {
    sessions = writer.credentials(did, source.accounts)
    writer.preferences(did, sqlite)
    writer.account(repo, account, keypair.exportSecret(), head, nowMs)
  })
  target?.writes.write(ROW_BYTES, () =>
    target.journal.adopted(
      did,
      {
        head: found.cid,
        rev: found.rev,
        records,
        blobs: blobs.carried,
        lostBlobs: blobs.lost.map(({ cid }) => cid),
        mustAnnounce,
      },
      nowMs,
    ),
  )
  return { records, bytes, blobs, sessions, recordTakedowns, resigned }
}

/** What a row costs beside its bytes. */
const ROW_BYTES = 100

function readKey(layout: ReferenceLayout, did: Did): Keypair {
  const path = actorKey(layout, did)
  let secret: Uint8Array
  try {
    secret = readFileSync(path)
  } catch (cause) {
    throw new CorruptAccountError(`its signing key cannot be read: ${(cause as Error).message}`, { cause })
  }
  try {
    return importKeypair('k256', Uint8Array.from(secret))
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause
    throw new CorruptAccountError(`its signing key, ${path}, is not one of K-256: ${cause.message}`, {
      cause,
    })
  }
}

/**
 * Where the repository stands with us. Mostly as it is; it gets a commit more, over the same tree, when nobody could
 * follow the one that it has: it came with an import, or the stream has told of a later one.
 */
function headOf(
  { commit, cid, commitBytes, rev, isOurs }: ReferenceRepo,
  did: Did,
  keypair: Keypair,
  announced: Tid | undefined,
  nowMs: number,
): { head: NewHead; resigned: string | undefined; mustAnnounce: boolean } {
  const isAhead = announced !== undefined && announced > commit.rev
  const isImport = !isOurs || rev !== commit.rev
  if (!isImport && !isAhead) {
    const isBehind = announced !== undefined && announced < commit.rev
    return {
      head: { cid, rev: commit.rev, data: commit.data, commitBytes },
      resigned: undefined,
      mustAnnounce: isBehind,
    }
  }
  const latest = [commit.rev, rev, announced ?? ''].sort().at(-1)!
  const next = tidFromMicros(Math.max(nowMs * 1000, tidMicros(latest) + 1), 0)
  const signed = signCommit({ did, data: commit.data, rev: next }, keypair)
  return {
    head: { cid: signed.cid, rev: next, data: commit.data, commitBytes: signed.bytes },
    resigned: isImport
      ? 'it was imported, and has not been written to since: its newest commit is the one that came'
      : `the stream announced revision ${announced}, and the repository stands at ${commit.rev}`,
    mustAnnounce: true,
  }
}

/** SQLite, and a schema that is not known, speak for one account here. */
function understood(error: unknown): unknown {
  if (error instanceof AdoptError) return new CorruptAccountError(error.message, { cause: error })
  const { code, errstr, message } = error as { code?: string; errstr?: string; message: string }
  if (code === 'ERR_SQLITE_ERROR' && UNREADABLE.has(errstr))
    return new CorruptAccountError(`its database cannot be read: ${message}`, { cause: error })
  return error
}

const UNREADABLE: ReadonlySet<string | undefined> = new Set([
  'database disk image is malformed',
  'file is not a database',
  'unable to open database file',
  'disk I/O error',
])
