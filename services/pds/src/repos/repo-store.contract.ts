import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair, type Keypair } from '@imago/crypto'
import {
  BlockMap,
  carHeader,
  cidOfDrisl,
  cidOfRaw,
  concatBytes,
  encode,
  readCar,
  type Value,
} from '@imago/data'
import type { LogEntry } from '@imago/log'
import { type CommitResult, type RepoWrite, verifyRepo, writeCommit } from '@imago/repo'
import { type Did, tidFromMicros } from '@imago/syntax'
import type { NewRepo, RecordChange, RepoChange, RepoStatus, RepoStore } from './repo-store.ts'

/** What the suite needs of an adapter besides the port. */
export interface RepoStoreBench extends AsyncDisposable {
  readonly store: RepoStore
  insert(repo: NewRepo): void
  setStatus(did: Did, status: RepoStatus | undefined): void
  addBlob(did: Did, bytes: Uint8Array): Promise<void>
  isTemporary(did: Did, bytes: Uint8Array): Promise<boolean | undefined>
  /** All events so far, from disk. */
  events(): Promise<readonly LogEntry[]>
  /** Events that were announced. */
  readonly announced: readonly LogEntry[]
  /** A moderator takes the record down. */
  takeDown(did: Did, path: string): void
  /** Makes the next write of a record at this path fail in the middle of its transaction. Returns how often it did. */
  breakAt(path: string): () => number
}

const alice: Did = 'did:plc:alice'
const bob: Did = 'did:plc:bob'
const COLLECTION = 'com.example.note'

/** The same repository, worked out beside the store. */
interface Mirror {
  readonly did: Did
  readonly keypair: Keypair
  readonly blocks: BlockMap
  head: CommitResult
}

let micros = Date.UTC(2026, 0, 1) * 1000
const nextRev = () => tidFromMicros(micros++, 0)

function createRepo(bench: RepoStoreBench, did: Did): Mirror {
  const keypair = generateKeypair('k256')
  const head = writeCommit({ did, source: new BlockMap(), head: null, writes: [], rev: nextRev(), keypair })
  const { signed, newBlocks } = head
  bench.insert({
    did,
    signingKey: keypair.exportSecret(),
    head: { cid: signed.cid, rev: signed.commit.rev, data: signed.commit.data, commitBytes: signed.bytes },
    nodes: [...newBlocks].filter(({ cid }) => !cid.equals(signed.cid)),
    status: undefined,
  })
  return { did, keypair, blocks: new BlockMap(newBlocks), head }
}

/** The change that follows the mirror's head; the mirror moves on. `null` deletes. */
function next(
  mirror: Mirror,
  records: Record<string, Value | null>,
  blobs: readonly Uint8Array[] = [],
): RepoChange {
  const { did, keypair, blocks, head } = mirror
  const { cid: expectedHead, commit } = head.signed
  const writes = Object.entries(records).map(([rkey, value]): RepoWrite => {
    const path = `${COLLECTION}/${rkey}`
    if (value === null) return { action: 'delete', path }
    const bytes = encode(value)
    const action = head.tree.get(path) === undefined ? 'create' : 'update'
    return { action, path, block: { cid: cidOfDrisl(bytes), bytes } }
  })
  const result = writeCommit({
    did,
    source: blocks,
    head: { data: commit.data, rev: commit.rev },
    writes,
    rev: nextRev(),
    keypair,
  })
  blocks.addAll(result.newBlocks)
  mirror.head = result
  const { signed, ops, newBlocks, removedNodes } = result
  const isRecord = new BlockMap(writes.flatMap((write) => (write.action === 'delete' ? [] : [write.block])))
  return {
    did,
    expectedHead,
    head: { cid: signed.cid, rev: signed.commit.rev, data: signed.commit.data, commitBytes: signed.bytes },
    addedNodes: [...newBlocks].filter(({ cid }) => !cid.equals(signed.cid) && !isRecord.has(cid)),
    removedNodes,
    records: ops.map(
      ({ path, cid, prev }): RecordChange =>
        cid === null
          ? { path, cid }
          : {
              path,
              cid,
              bytes: isRecord.get(cid)!,
              replaces: prev !== null,
              blobs: blobs.map((bytes) => cidOfRaw(bytes)),
            },
    ),
    events: [{ key: did, encode: (seq) => encode({ seq, rev: signed.commit.rev }) }],
  }
}

/** Every promise of {@link RepoStore}, for each adapter of it. */
export function repoStoreContract(name: string, open: () => Promise<RepoStoreBench>): void {
  const contract = (title: string, body: (bench: RepoStoreBench) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using bench = await open()
      await body(bench)
    })

  contract('a record that was taken down is not told of, and stays in the repository', async (bench) => {
    const mirror = createRepo(bench, alice)
    await bench.store.commit([next(mirror, { a: { n: 1 }, b: { n: 2 }, c: { n: 3 } })])
    bench.takeDown(alice, `${COLLECTION}/b`)
    assert.equal(await bench.store.getRecord(alice, `${COLLECTION}/b`), undefined)
    const page = { collection: COLLECTION, limit: 2, descending: false }
    assert.deepEqual(
      (await bench.store.listRecords(alice, page)).map(({ path }) => path),
      [`${COLLECTION}/a`, `${COLLECTION}/c`],
    )
    assert.ok((await bench.store.getBlocks(alice, [cidOfDrisl(encode({ n: 2 }))])).length === 1)
  })

  contract('a commit moves the head, and its records, nodes and events are there', async (bench) => {
    const mirror = createRepo(bench, alice)
    const change = next(mirror, { a: { n: 1 }, b: { n: 2 } })
    assert.deepEqual(await bench.store.commit([change]), [{ ok: true }])
    const head = await bench.store.head(alice)
    assert.deepEqual([head?.cid.toString(), head?.rev], [change.head.cid.toString(), change.head.rev])
    const state = await bench.store.open(alice)
    assert.equal(state?.keypair.didKey, mirror.keypair.didKey)
    for (const { cid, bytes } of change.addedNodes) assert.deepEqual(state!.nodes.get(cid), bytes)
    const record = await bench.store.getRecord(alice, `${COLLECTION}/a`)
    assert.deepEqual(record?.bytes, encode({ n: 1 }))
    assert.equal((await bench.events()).length, 1)
    assert.equal(bench.announced.length, 1)
  })

  contract('changes of one batch follow one another, on the same repository and on others', async (bench) => {
    const [a, b] = [createRepo(bench, alice), createRepo(bench, bob)]
    const changes = [next(a, { x: { n: 1 } }), next(b, { x: { n: 2 } }), next(a, { x: null, y: { n: 3 } })]
    assert.deepEqual(await bench.store.commit(changes), [{ ok: true }, { ok: true }, { ok: true }])
    assert.deepEqual(
      (await bench.store.listRecords(alice, { collection: COLLECTION, limit: 9, descending: false })).map(
        ({ path }) => path,
      ),
      [`${COLLECTION}/y`],
    )
    assert.deepEqual(
      (await bench.events()).map(({ key, seq }) => [key, seq]),
      [
        [alice, 1],
        [bob, 2],
        [alice, 3],
      ],
    )
  })

  contract('a change on a head that has moved writes nothing, and disturbs nobody', async (bench) => {
    const [a, b] = [createRepo(bench, alice), createRepo(bench, bob)]
    const first = next(a, { x: { n: 1 } })
    const stale: RepoChange = { ...next(a, { y: { n: 2 } }), expectedHead: first.expectedHead }
    const other = next(b, { x: { n: 3 } })
    assert.deepEqual(await bench.store.commit([first, stale, other]), [
      { ok: true },
      { ok: false, reason: 'HeadMoved' },
      { ok: true },
    ])
    assert.equal(await bench.store.getRecord(alice, `${COLLECTION}/y`), undefined)
    assert.ok((await bench.store.head(alice))!.cid.equals(first.head.cid))
    assert.equal((await bench.events()).length, 2)
  })

  contract('an account that is not active, or not there, is not written to', async (bench) => {
    const mirror = createRepo(bench, alice)
    bench.setStatus(alice, 'deactivated')
    const change = next(mirror, { x: { n: 1 } })
    assert.deepEqual(await bench.store.commit([change, { ...change, did: bob }]), [
      { ok: false, reason: 'NotActive', status: 'deactivated' },
      { ok: false, reason: 'NotActive', status: 'absent' },
    ])
    assert.deepEqual(await bench.events(), [])
    bench.setStatus(alice, undefined)
    assert.deepEqual(await bench.store.commit([change]), [{ ok: true }])
  })

  contract(
    'blobs: absent ones refuse the change, others become permanent, and temporary again',
    async (bench) => {
      const mirror = createRepo(bench, alice)
      const picture = new Uint8Array([1, 2, 3])
      const before = mirror.head
      const refused = next(mirror, { x: { n: 1 } }, [picture])
      const [outcome] = await bench.store.commit([refused])
      assert.ok(!outcome!.ok && outcome!.reason === 'BlobNotFound' && outcome!.blob.equals(cidOfRaw(picture)))
      assert.ok((await bench.store.head(alice))!.cid.equals(refused.expectedHead))
      mirror.head = before
      await bench.addBlob(alice, picture)
      assert.equal(await bench.isTemporary(alice, picture), true)
      await bench.store.commit([next(mirror, { x: { n: 1 } }, [picture])])
      assert.equal(await bench.isTemporary(alice, picture), false)
      await bench.store.commit([next(mirror, { y: { n: 2 } }, [picture])])
      await bench.store.commit([next(mirror, { x: null })])
      assert.equal(await bench.isTemporary(alice, picture), false)
      await bench.store.commit([next(mirror, { y: { n: 3 } })])
      assert.equal(await bench.isTemporary(alice, picture), true)
    },
  )

  contract('a statement that fails in the middle undoes its own change only', async (bench) => {
    const [a, b] = [createRepo(bench, alice), createRepo(bench, bob)]
    const before = a.head
    const good = next(b, { x: { n: 1 } })
    const fired = bench.breakAt(`${COLLECTION}/broken`)
    const bad = next(a, { fine: { n: 1 }, broken: { n: 2 } })
    const later = next(b, { y: { n: 3 } })
    const outcomes = await bench.store.commit([good, bad, later])
    assert.ok(fired() > 0, 'the fault fired')
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.reason)),
      ['ok', 'Failed', 'ok'],
    )
    assert.ok((await bench.store.head(alice))!.cid.equals(before.signed.cid))
    assert.equal(await bench.store.getRecord(alice, `${COLLECTION}/fine`), undefined)
    assert.deepEqual(
      (await bench.events()).map(({ key }) => key),
      [bob, bob],
    )
    assert.deepEqual(
      bench.announced.map(({ seq }) => seq),
      (await bench.events()).map(({ seq }) => seq),
    )
  })

  contract('a snapshot stands still, and exports what verifies', async (bench) => {
    const mirror = createRepo(bench, alice)
    const first = next(mirror, Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`k${n}`, { n }])))
    await bench.store.commit([first])
    using snapshot = (await bench.store.snapshot(alice))!
    await bench.store.commit([next(mirror, { k7: null, new: { n: 99 } })])
    const { roots, blocks } = readCar(concatBytes([carHeader([snapshot.head.cid]), ...snapshot.export()]))
    assert.equal(verifyRepo({ roots, blocks }, { did: alice }).records.size, 50)
    assert.ok(snapshot.head.cid.equals(first.head.cid))
    assert.ok(blocks.has(cidOfDrisl(encode({ n: 7 }))))
    assert.ok(!blocks.has(cidOfDrisl(encode({ n: 99 }))))
    assert.equal(await bench.store.snapshot(bob), undefined)
  })

  contract('blocks, collections and pages', async (bench) => {
    const mirror = createRepo(bench, alice)
    const change = next(mirror, { a: { n: 1 }, b: { n: 2 }, c: { n: 3 } })
    await bench.store.commit([change])
    assert.deepEqual(await bench.store.collections(alice), [COLLECTION])
    assert.deepEqual(await bench.store.collections(bob), [])
    const page = async (descending: boolean, cursor?: string) =>
      (await bench.store.listRecords(alice, { collection: COLLECTION, limit: 2, descending, cursor })).map(
        ({ path }) => path.at(-1),
      )
    assert.deepEqual(await page(false), ['a', 'b'])
    assert.deepEqual(await page(false, 'b'), ['c'])
    assert.deepEqual(await page(true), ['c', 'b'])
    assert.deepEqual(await page(true, 'b'), ['a'])
    const wanted = [
      change.head.cid,
      change.head.data,
      cidOfDrisl(encode({ n: 2 })),
      cidOfDrisl(encode({ n: 9 })),
    ]
    const blocks = await bench.store.getBlocks(alice, wanted)
    assert.deepEqual(
      blocks.map(({ cid }) => cid.toString()),
      wanted.slice(0, 3).map(String),
    )
    createRepo(bench, bob)
    const [first, ...rest] = await bench.store.list({ after: 0, limit: 10 })
    assert.deepEqual([first!.did, rest.map(({ did }) => did)], [alice, [bob]])
    assert.deepEqual(await bench.store.list({ after: rest[0]!.position, limit: 10 }), [])
  })
}
