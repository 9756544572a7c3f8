import assert from 'node:assert/strict'
import { decode, type Cid as PeerCid } from '@atproto/lex-cbor'
import { readCarWithRoot, verifyRepoCar } from '@atproto/repo'
import { cidOfRaw } from '@imago/data'
import type { Did } from '@imago/syntax'
import type { TestPds } from '../../services/pds/test/test-pds.ts'
import { eventsOf, type StreamedEvent } from './events.ts'
import type { Records } from './scene.ts'

/** What the stream says of one repository. */
interface Told {
  rev: string
  /** CID of the commit, and of the root of its tree. */
  commit: string
  data: string
  /** CIDs by path; of those alone that changed since the last #sync, which does not tell. */
  readonly paths: Map<string, string | null>
  /** Since the last #sync nothing but commits came, and before it nothing. */
  isWhole: boolean
}

/** A repository as a stranger finds it. */
export interface Found {
  readonly rev: string
  readonly commit: string
  readonly data: string
  /** CIDs by path. */
  readonly cids: ReadonlyMap<string, string>
  readonly records: Records
}

/**
 * Follows the stream from its first event: the reference implementation decodes, and nothing of the engine is used.
 * Numbers ascend; the commits of each repository are an unbroken chain, from `prevData` to `data`, of ascending
 * revisions; what an operation says was there before was there.
 * @returns what it tells, by DID. Deleted accounts are in it as `undefined`.
 */
export async function followStream(events: readonly StreamedEvent[]): Promise<Map<string, Told | undefined>> {
  const told = new Map<string, Told | undefined>()
  let last = 0
  for (const { seq, did, type, body } of events) {
    assert.ok(seq > last, `event ${seq} comes after ${last}`)
    last = seq
    if (type === '#account' && body['status'] === 'deleted') told.set(did, undefined)
    if (type !== '#commit' && type !== '#sync') continue
    const { commit, data, rev } = await commitIn(body['blocks'], did)
    const before = told.get(did)
    assert.equal(rev, body['rev'], `event ${seq} is about its commit`)
    if (type === '#sync' && rev === before?.rev) {
      assert.equal(commit, before.commit, `event ${seq} says again where the repository stands`)
      continue
    }
    if (before !== undefined) assert.ok(rev > before.rev, `event ${seq}: ${rev} follows ${before.rev}`)
    if (type === '#sync') {
      told.set(did, { rev, commit, data, paths: new Map(), isWhole: before === undefined })
      continue
    }
    assert.equal(commit, String(body['commit']), `event ${seq} carries its commit`)
    assert.equal(body['since'] ?? undefined, before?.rev, `event ${seq} follows what was told before`)
    assert.equal(
      body['prevData'] && String(body['prevData']),
      before?.data,
      `event ${seq} builds on the tree before`,
    )
    const now: Told = before ?? { rev, commit, data, paths: new Map(), isWhole: true }
    for (const { path, cid, prev } of body['ops']) {
      const known = now.paths.get(path) ?? (now.isWhole ? null : undefined)
      if (known !== undefined) assert.equal(prev ? String(prev) : null, known, `event ${seq}: ${path} before`)
      now.paths.set(path, cid === null ? null : String(cid))
    }
    told.set(did, Object.assign(now, { rev, commit, data }))
  }
  return told
}

async function commitIn(
  car: Uint8Array,
  did: string,
): Promise<{ commit: string; data: string; rev: string }> {
  const { root, blocks } = await readCarWithRoot(car)
  const commit = decode(blocks.get(root)!) as { did: string; data: PeerCid; rev: string }
  assert.equal(commit.did, did)
  return { commit: root.toString(), data: commit.data.toString(), rev: commit.rev }
}

/**
 * A repository by its export, which the reference implementation verifies, and each of its records by getRecord; the
 * blobs to which they refer, by their bytes. `undefined` when there is none.
 */
export async function findRepo(pds: TestPds, did: Did): Promise<Found | undefined> {
  const answer = await pds.query('com.atproto.sync.getRepo', { params: { did } })
  if (answer.status !== 200) {
    assert.equal(answer.body.error, 'RepoNotFound')
    return undefined
  }
  const key = `did:key:${pds.plc.document(did).verificationMethod![0]!.publicKeyMultibase}`
  const { creates } = await verifyRepoCar(answer.body, did, key)
  const cids = new Map(creates.map(({ collection, rkey, cid }) => [`${collection}/${rkey}`, cid.toString()]))
  const records: Record<string, Records[string]> = {}
  for (const { collection, rkey, cid } of creates) {
    const { status, body } = await pds.query('com.atproto.repo.getRecord', {
      params: { repo: did, collection, rkey },
    })
    assert.deepEqual([status, body.cid], [200, cid.toString()], `${collection}/${rkey}`)
    records[`${collection}/${rkey}`] = body.value
    const blob = body.value.blob?.ref.$link as string | undefined
    if (blob !== undefined) await assertBlob(pds, did, blob)
  }
  return { ...(await commitIn(answer.body, did)), cids, records }
}

async function assertBlob(pds: TestPds, did: Did, cid: string): Promise<void> {
  const { status, body } = await pds.query('com.atproto.sync.getBlob', { params: { did, cid } })
  assert.equal(status, 200, `blob ${cid} is there`)
  assert.equal(String(cidOfRaw(body)), cid)
}

/** That the stream tells of exactly the commit that is there, and of the records that are in it. */
export function assertTold(told: Told | undefined, found: Found | undefined, did: string): void {
  if (found === undefined || told === undefined) {
    assert.equal(found, told, `${did} is gone, and told to be`)
    return
  }
  assert.deepEqual(
    [told.rev, told.commit, told.data],
    [found.rev, found.commit, found.data],
    `${did} is where it was told to be`,
  )
  const listed = new Set(found.cids.keys())
  for (const [path, cid] of told.paths) {
    assert.equal(found.cids.get(path) ?? null, cid, `${did} ${path}`)
    listed.delete(path)
  }
  if (told.isWhole) assert.deepEqual([...listed], [], `${did}: every record was told of`)
}

/** All that {@link followStream}, {@link findRepo} and {@link assertTold} find wrong with a server. Returns what is there. */
export async function assertConsistent(
  pds: TestPds,
  dids: readonly Did[],
): Promise<{ repos: ReadonlyMap<Did, Found | undefined>; events: readonly StreamedEvent[] }> {
  const events = await eventsOf(pds, 0)
  const told = await followStream(events)
  const repos = new Map<Did, Found | undefined>()
  for (const did of dids) {
    const found = await findRepo(pds, did)
    assert.ok(told.has(did), `the stream tells of ${did}`)
    assertTold(told.get(did), found, did)
    repos.set(did, found)
  }
  return { repos, events }
}
