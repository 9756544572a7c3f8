import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { importKeypair } from '@imago/crypto'
import { Cid } from '@imago/data'
import { type Directory, IdentityError } from '@imago/identity'
import type { Did } from '@imago/syntax'
import { readConfig } from '../config.ts'
import { lockDataDirectory } from '../database/data-directory-lock.ts'
import { DATABASE_FILE, openDatabase } from '../database/database.ts'
import { createPdsDirectory } from '../identity/pds-directory.ts'
import { AdoptError } from './adopt-error.ts'
import { type AdoptOptions, assertStopped } from './adopt-reference.ts'
import { adoptionFolders, scratchFolder } from './adoption-folders.ts'
import { type AdoptionRow, createAdoptionJournal } from './adoption-journal.ts'
import { readAdoptionState } from './adoption-state.ts'
import { createReferenceAccounts } from './reference-accounts.ts'
import { readReferenceEnvironment } from './reference-environment.ts'
import { actorDatabase, actorKey, findReferenceLayout, type ReferenceLayout } from './reference-layout.ts'
import { openSourceDatabase } from './source-database.ts'

export interface VerifyAdoptionOptions extends AdoptOptions {
  /** Where DID documents come from. Default: the directory that the environment names. */
  readonly directory?: Pick<Directory, 'resolveDid'>
}

/** How what was taken over compares with where it came from. */
export interface VerificationReport {
  readonly accounts: number
  /** Stand where they stood, with as many records and blobs, and the same key. */
  readonly same: number
  /** Have been written to since: compared as far as the journal of the takeover goes. */
  readonly movedOn: number
  /** Accounts whose DID documents could not be had. */
  readonly unreachable: number
  readonly differences: readonly { readonly did: string; readonly what: string }[]
}

/** DID documents that are asked for at a time. */
const PARALLEL = 16

/**
 * Compares every account with its source: root, revision, numbers of records and blobs, and the key with the one in the
 * DID document.
 * @throws {AdoptError} when there is nothing to compare, or either side is in use.
 */
export async function verifyAdoption(options: VerifyAdoptionOptions): Promise<VerificationReport> {
  const { environment } = readReferenceEnvironment(
    options.source,
    options.environmentFile,
    options.environment,
  )
  const layout = findReferenceLayout(options.source, environment)
  assertStopped(layout)
  const { dataDirectory } = adoptionFolders(layout, environment, options)
  await using stack = new AsyncDisposableStack()
  stack.use(lockDataDirectory(dataDirectory))
  const { sqlite } = stack.use(openDatabase(join(dataDirectory, DATABASE_FILE)))
  if (readAdoptionState(sqlite)?.source !== layout.folder)
    throw new AdoptError(
      'NotAdopted',
      `${dataDirectory} holds nothing that was taken over from ${layout.folder}: run \`imago pds adopt ${layout.folder}\` first`,
    )
  const scratch = scratchFolder({ dataDirectory })
  stack.defer(() => rmSync(scratch, { recursive: true, force: true }))
  const accountDatabase = stack.use(openSourceDatabase(layout.accountDatabase, join(scratch, 'account')))
  const directory = options.directory ?? stack.use(directoryOf(environment, options.now))

  const journal = createAdoptionJournal(sqlite)
  const dids = createReferenceAccounts(accountDatabase.sqlite)
    .list()
    .map(({ did }) => did)
  const differences: { did: string; what: string }[] = []
  let [same, movedOn, unreachable] = [0, 0, 0]
  for (let first = 0; first < dids.length; first += PARALLEL) {
    const page = dids.slice(first, first + PARALLEL)
    const keys = await Promise.all(page.map((did) => documentKey(did, directory)))
    for (const [index, did] of page.entries()) {
      options.onProgress?.({ account: did, done: first + index, total: dids.length })
      const { what, hasMoved } = compare(did, sqlite, journal.get(did), layout, join(scratch, 'actor'))
      const fault = what ?? keyFault(layout, did, keys[index]!)
      if (keys[index] === 'unreachable') unreachable++
      if (fault !== undefined) differences.push({ did, what: fault })
      else if (hasMoved) movedOn++
      else same++
    }
  }
  return { accounts: dids.length, same, movedOn, unreachable, differences }
}

interface RepoRow {
  id: number
  head: Uint8Array
  rev: string
  data: Uint8Array
  signing_key: Uint8Array
}

/** What differs; and whether it was written to here since it came. */
function compare(
  did: Did,
  sqlite: DatabaseSync,
  row: AdoptionRow | undefined,
  layout: ReferenceLayout,
  scratch: string,
): { what: string | undefined; hasMoved: boolean } {
  const differs = (what: string) => ({ what, hasMoved: false })
  if (row === undefined || row.state !== 'adopted')
    return differs(row?.reason ?? 'it has not been taken over: run the takeover again')
  const repo = sqlite.prepare('SELECT id, head, rev, data, signing_key FROM repo WHERE did = ?').get(did) as
    | RepoRow
    | undefined
  if (repo === undefined) return differs('it was taken over, and is not here any more')
  using source = openSourceDatabase(actorDatabase(layout, did), scratch)
  const root = source.sqlite.prepare('SELECT cid FROM repo_root').get() as { cid: string } | undefined
  const head = new Cid(row.head!).toString()
  if (root?.cid !== head)
    return differs(`its root there is ${root?.cid}, and was ${head} when it was taken over`)
  if (!sameKey(repo.signing_key, layout, did))
    return differs('its signing key is not the one that lies there')
  if (repo.rev < row.rev!) return differs(`its revision is ${repo.rev}, before the one that came, ${row.rev}`)

  const records = count(source.sqlite, 'SELECT count(*) AS n FROM record')
  if (row.records !== records) return differs(`${row.records} records came, and ${records} are there`)
  const blobs = count(source.sqlite, 'SELECT count(*) AS n FROM blob WHERE tempKey IS NULL')
  const lost = row.lost_blobs === null ? 0 : (JSON.parse(row.lost_blobs) as unknown[]).length
  if (lost > 0) return differs(`the bytes of ${lost} blobs are not there`)
  if (row.blobs < blobs) return differs(`${row.blobs} blobs came, and ${blobs} are there`)
  // A commit that only renews the signature leaves the tree as it was.
  if (new Cid(repo.head).toString() !== head && count(sqlite, RECORDS, repo.id) !== records)
    return { what: undefined, hasMoved: true }
  const here = count(sqlite, RECORDS, repo.id)
  if (here !== records) return differs(`${here} records are here, and ${records} there`)
  return { what: undefined, hasMoved: new Cid(repo.head).toString() !== head }
}

const RECORDS = 'SELECT count(*) AS n FROM record WHERE repo = ?'

const count = (sqlite: DatabaseSync, sql: string, ...parameters: number[]) =>
  (sqlite.prepare(sql).get(...parameters) as { n: number }).n

function sameKey(secret: Uint8Array, layout: ReferenceLayout, did: Did): boolean {
  return Buffer.from(secret).equals(readFileSync(actorKey(layout, did)))
}

type DocumentKey = { readonly didKey: string | undefined } | 'unreachable'

function keyFault(layout: ReferenceLayout, did: Did, key: DocumentKey): string | undefined {
  if (key === 'unreachable') return undefined
  const { didKey } = importKeypair('k256', readFileSync(actorKey(layout, did)))
  return key.didKey === didKey
    ? undefined
    : `its DID document names the key ${key.didKey}, and it signs with ${didKey}`
}

async function documentKey(did: Did, directory: Pick<Directory, 'resolveDid'>): Promise<DocumentKey> {
  try {
    const { signingKey } = await directory.resolveDid(did)
    return { didKey: signingKey?.didKey }
  } catch (error) {
    if (error instanceof IdentityError) return 'unreachable'
    throw error
  }
}

function directoryOf(
  environment: Readonly<Record<string, string | undefined>>,
  now: () => number,
): ReturnType<typeof createPdsDirectory> {
  const plcUrl =
    environment['PDS_JWT_SECRET'] === undefined
      ? (environment['PDS_DID_PLC_URL'] ?? 'https://plc.directory')
      : readConfig(environment).config.plcUrl
  return createPdsDirectory({ plcUrl, now })
}
