import { com } from '@imago/atproto'
import { type JsonValue, toJson, type Value } from '@imago/data'
import type { DidDocument } from '@imago/identity'
import {
  type AtIdentifier,
  isAtIdentifier,
  isDid,
  isNsid,
  isRecordKey,
  type Nsid,
  tidMicros,
} from '@imago/syntax'
import { invalidRequest } from '@imago/xrpc'
import { createClient } from '@imago/xrpc/client'
import type { Names } from '../names.ts'
import type { ServiceUrls } from '../service-urls.ts'
import type { RepoSummaries, RepoSummary } from './repo-summary.ts'

/** What the questions of this file are asked with. */
export interface AccountPorts {
  readonly services: ServiceUrls
  readonly names: Names
  readonly fetch: typeof globalThis.fetch
  readonly summaries: RepoSummaries
}

export interface AccountRow {
  readonly did: string
  readonly handle: string | undefined
  readonly pds: string | undefined
  readonly rev: string
  /** `active`, or why it is not. */
  readonly status: string
  readonly summary: RepoSummary | undefined
}

export interface AccountPage {
  readonly rows: readonly AccountRow[]
  readonly cursor: string | undefined
}

const PAGE_SIZE = 25

/** Servers give a cursor after the last entry, too: after a page that is not full there is nothing more. */
const nextPage = (length: number, cursor: string | undefined) => (length < PAGE_SIZE ? undefined : cursor)

/** One page of the accounts of the PDS. @throws {XrpcError} when the PDS does not answer. */
export async function listAccounts(ports: AccountPorts, cursor: string | undefined): Promise<AccountPage> {
  const { services, names, summaries, fetch } = ports
  const { repos, cursor: next } = await createClient({ service: services.pds, fetch }).call(
    com.atproto.sync.listRepos.main,
    { params: { limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) } },
  )
  const rows = await Promise.all(
    repos.map(async ({ did, rev, active, status }): Promise<AccountRow> => {
      const isActive = active !== false
      const [handle, identity, summary] = await Promise.all([
        names.handleOf(did),
        names.identityOf(did).catch(() => undefined),
        isActive ? summaries(did, rev, services.pds) : undefined,
      ])
      return {
        did,
        handle,
        pds: identity?.pds,
        rev,
        status: isActive ? 'active' : (status ?? 'inactive'),
        summary,
      }
    }),
  )
  return { rows, cursor: nextPage(repos.length, next) }
}

/** One operation of a DID's history, as the directory tells it. */
export interface PlcEntry {
  readonly type: string
  readonly cid: string
  readonly createdAt: string
  readonly nullified: boolean
}

export interface Account {
  readonly did: string
  readonly handle: string | undefined
  readonly pds: string | undefined
  readonly signingKey: string | undefined
  readonly document: DidDocument
  readonly history: readonly PlcEntry[]
  readonly status: string
  readonly head: string | undefined
  readonly rev: string | undefined
  /** When the last commit was made, by its rev. */
  readonly revTime: string | undefined
  /** How the relay sees it; `undefined` where it does not know it. */
  readonly atRelay: { readonly status: string; readonly rev: string | undefined } | undefined
  readonly summary: RepoSummary | undefined
}

/**
 * Everything about one account that its host, the directory and the relay tell.
 * @throws {IdentityError} when there is no such DID.
 */
export async function readAccount(ports: AccountPorts, did: string): Promise<Account> {
  const { services, names, summaries, fetch } = ports
  if (!isDid(did)) throw notFound(`‘${did}’ is not a DID`)
  const { document, data, pds } = await names.identityOf(did, { refresh: true })
  const host = pds ?? services.pds
  const client = createClient({ service: host, fetch })
  const { getRepoStatus, getLatestCommit } = com.atproto.sync
  const [handle, history, status, latest, relayStatus] = await Promise.all([
    names.handleOf(did),
    readHistory(services.plc, did, fetch),
    client.tryCall(getRepoStatus.main, { params: { did } }),
    client.tryCall(getLatestCommit.main, { params: { did } }),
    createClient({ service: services.relay, fetch }).tryCall(getRepoStatus.main, { params: { did } }),
  ])
  const rev = latest.ok ? latest.output.rev : undefined
  return {
    did,
    handle,
    pds,
    signingKey: data.signingKey,
    document,
    history,
    status: status.ok ? statusOf(status.output) : status.error.message,
    head: latest.ok ? latest.output.cid : undefined,
    rev,
    revTime: rev && new Date(tidMicros(rev) / 1000).toISOString(),
    atRelay: relayStatus.ok
      ? { status: statusOf(relayStatus.output), rev: relayStatus.output.rev }
      : undefined,
    summary: rev === undefined ? undefined : await summaries(did, rev, host),
  }
}

const statusOf = ({ active, status }: { active: boolean; status?: string }) =>
  active ? 'active' : (status ?? 'inactive')

/** The history of a did:plc; none where the directory does not tell. */
async function readHistory(plc: string, did: string, fetch: typeof globalThis.fetch): Promise<PlcEntry[]> {
  if (!did.startsWith('did:plc:')) return []
  const response = await fetch(`${plc}/${did}/log/audit`).catch(() => undefined)
  const entries = response?.ok ? ((await response.json()) as unknown) : undefined
  await (response?.bodyUsed === false ? response.body?.cancel() : undefined)
  if (!Array.isArray(entries)) return []
  return entries.map(({ operation, cid, createdAt, nullified }) => ({
    type: String(operation?.type ?? 'unknown'),
    cid: String(cid),
    createdAt: String(createdAt),
    nullified: nullified === true,
  }))
}

export interface RecordRow {
  readonly rkey: string
  readonly cid: string
  readonly value: JsonValue
}

/** One page of a collection, newest first. @throws {XrpcError} */
export async function listCollection(
  { services, names, fetch }: AccountPorts,
  did: string,
  collection: string,
  cursor: string | undefined,
): Promise<{ rows: RecordRow[]; cursor: string | undefined }> {
  const repo = checked(did, isAtIdentifier, 'a DID') as AtIdentifier
  const { records, cursor: next } = await createClient({
    service: await hostOf(did, services, names),
    fetch,
  }).call(com.atproto.repo.listRecords.main, {
    params: {
      repo,
      collection: checked(collection, isNsid, 'a collection') as Nsid,
      limit: PAGE_SIZE,
      ...(cursor !== undefined && { cursor }),
    },
  })
  return {
    rows: records.map(({ uri, cid, value }) => ({
      rkey: uri.slice(uri.lastIndexOf('/') + 1),
      cid,
      value: toJson(value as Value),
    })),
    cursor: nextPage(records.length, next),
  }
}

/** The path of a record, checked. @throws {XrpcError} InvalidRequest */
export function recordPath(collection: string, rkey: string): string {
  return `${checked(collection, isNsid, 'a collection')}/${checked(rkey, isRecordKey, 'a record key')}`
}

async function hostOf(did: string, services: ServiceUrls, names: Names): Promise<string> {
  return (await names.identityOf(did)).pds ?? services.pds
}

function checked(value: string, is: (value: unknown) => boolean, what: string): string {
  if (!is(value)) throw notFound(`‘${value}’ is not ${what}`)
  return value
}

const notFound = (message: string) => invalidRequest(message)
