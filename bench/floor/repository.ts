import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Cid, concatBytes } from '@imago/data'
import { Mst, verifyRepoStream } from '@imago/repo'
import { createRandom } from '@imago/sim/random'
import { anyRecordCid, anyTid } from '../inputs/records.ts'
import { type RepositoryCar, repositoryCar } from '../inputs/repository-car.ts'
import type { GroupContext } from '../lib/group.ts'
import { measureAsync } from '../lib/measure-async.ts'
import { installPeers, type Peers, PeerUnavailableError } from '../lib/peers.ts'
import type { Row } from '../lib/row.ts'

const SEED = 2
const RECORDS = 10_000
const KEYS = 100_000
const UPDATES = 1000
const MANY_RECORDS = 1_000_000

const VERIFY = 'verify a repository of 10k records, as it arrives'
const BUILD = 'build an MST of 100k keys'
const UPDATE = '1,000 random updates of an MST of 100k keys'
const MEMORY = 'memory for verifying a repository of 1M records in streamable order'

/** Whole repositories and their trees. */
export async function* rows(context: GroupContext): AsyncGenerator<Row> {
  const effort = context.quick ? { runs: 3, warmUps: 1 } : { runs: 9, warmUps: 4 }
  let peers: Peers | undefined
  try {
    peers = await installPeers('repositories', context.progress)
  } catch (error) {
    if (!(error instanceof PeerUnavailableError)) throw error
    yield* [VERIFY, BUILD, UPDATE].map((name) => ({ name, missing: error.message }))
  }
  if (peers) {
    yield* verifyRows(peers, effort)
    yield* treeRows(peers, effort, context)
  }
  yield await memoryRow(context)
}

async function* verifyRows(peers: Peers, effort: { runs: number }): AsyncGenerator<Row> {
  const repository = repositoryCar({ seed: SEED, records: RECORDS })
  const chunks = [...repository.chunks()]
  const file = concatBytes(chunks)
  const ours = () => countRecords(repository, chunks)
  const reference = await openReference(peers)
  const parts = await openParts(peers)
  const candidates = {
    ours,
    [peers.title('@atproto/repo')]: () => reference.verify(file, repository),
    [`${peers.title('@atcute/repo')}, tree unchecked`]: () => parts.verify(file, repository),
  }
  for (const [who, work] of Object.entries(candidates))
    assert.equal(await work(), RECORDS, `${who} finds other records`)
  const damaged = file.slice()
  damaged[damaged.length - 1]! ^= 1
  await assert.rejects(countRecords(repository, [damaged]))
  const { ours: mine, ...theirs } = await measureAsync(candidates, effort)
  const figures = Object.fromEntries(Object.entries(theirs).map(([who, { median }]) => [who, median / 1000]))
  const [referenceName, partsName] = Object.keys(figures) as [string, string]
  const common = { unit: 'ms', ours: mine!.median / 1000, spread: mine!.spread } as const
  const size = `${(file.length / 1e6).toFixed(1)} MB`
  yield {
    ...common,
    name: VERIFY,
    peers: { [referenceName]: figures[referenceName]! },
    bar: { timesPeer: 10 },
    note: size,
  }
  yield {
    ...common,
    name: `${VERIFY}; peers leave the tree's shape unchecked`,
    peers: { [partsName]: figures[partsName]! },
    bar: { timesPeer: 1.5 },
    note: size,
  }
}

async function countRecords({ did, key }: RepositoryCar, chunks: Iterable<Uint8Array>): Promise<number> {
  const { records } = await verifyRepoStream(chunks, { did, key })
  let count = 0
  for await (const batch of records) count += batch.length
  return count
}

async function* treeRows(
  peers: Peers,
  effort: { runs: number },
  { quick, progress }: GroupContext,
): AsyncGenerator<Row> {
  const random = createRandom(SEED)
  const entries = Array.from({ length: KEYS }, (): [string, Cid] => [
    `app.bsky.feed.post/${anyTid(random)}`,
    anyRecordCid(random),
  ]).sort(([a], [b]) => (a < b ? -1 : 1))
  const updates = random
    .shuffle(entries)
    .slice(0, UPDATES)
    .map(([key]): [string, Cid] => [key, anyRecordCid(random)])
  const built = Mst.from(entries)
  const update = () => updates.reduce((tree, [key, cid]) => tree.update(key, cid), built).root.toString()

  const reference = await (await openReference(peers)).trees(entries, updates)
  const wrangler = await (await openParts(peers)).trees(entries, updates)
  const titles = [peers.title('@atproto/repo'), peers.title('@atcute/mst')] as const
  // The peers build 100k keys in seconds to a minute: once, with what is compared, is what there is time for.
  progress('peers build trees of 100k keys')
  const roots: string[] = []
  const builds = await measureAsync(
    {
      [titles[0]]: async () => roots.push(await reference.build()),
      ...(!quick && { [titles[1]]: async () => roots.push(await wrangler.build()) }),
    },
    { runs: 1, warmUps: 0 },
  )
  if (quick) await wrangler.fill(built)
  const { ours: build } = await measureAsync({ ours: () => Mst.from(entries).root }, effort)
  for (const root of roots) assert.equal(root, built.root.toString())
  const updated = update()
  assert.equal(await reference.update(), updated)
  assert.equal(await wrangler.update(), updated)
  const updateFigures = await measureAsync(
    { ours: update, [titles[0]]: () => reference.update(), [titles[1]]: () => wrangler.update() },
    effort,
  )
  for (const [name, ours, theirs] of [
    [BUILD, build, builds],
    [UPDATE, updateFigures['ours']!, updateFigures],
  ] as const)
    for (const [title, timesPeer] of [
      [titles[0], 5],
      [titles[1], 2],
    ] as const) {
      const peer = theirs[title]
      if (peer === undefined) continue
      yield {
        name: `${name}, against ${title}`,
        unit: 'ms',
        ours: ours.median / 1000,
        spread: ours.spread,
        peers: { [title]: peer.median / 1000 },
        bar: { timesPeer },
      }
    }
}

/** In a process of its own: what this one has in memory already would hide what verifying takes. */
async function memoryRow({ quick, progress }: GroupContext): Promise<Row> {
  const records = quick ? MANY_RECORDS / 10 : MANY_RECORDS
  progress(`making and verifying a repository of ${records} records`)
  const { stdout } = await promisify(execFile)(process.execPath, [
    fileURLToPath(new URL('./repository-memory.ts', import.meta.url)),
    String(records),
  ])
  const { verified, growthBytes, fileBytes, seconds } = JSON.parse(stdout)
  assert.equal(verified, records)
  return {
    name: quick ? `${MEMORY}, a tenth of it` : MEMORY,
    unit: 'MB',
    ours: Math.max(growthBytes, 1) / 2 ** 20,
    bar: { limit: 64 },
    note: `${(fileBytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s`,
  }
}

// biome-ignore lint/suspicious/noExplicitAny: peers are loaded at run time, without their types.
type Untyped = any

async function openReference(peers: Peers) {
  const { verifyRepoCar, MST, MemoryBlockstore } = (await peers.load('@atproto/repo')) as Untyped
  const { CID } = (await peers.load('multiformats/cid')) as Untyped
  return {
    verify: async (file: Uint8Array, { did, key }: RepositoryCar): Promise<number> =>
      (await verifyRepoCar(file, did, key.didKey)).creates.length,
    trees: async (entries: [string, Cid][], updates: [string, Cid][]) => {
      const converted = (list: [string, Cid][]) =>
        list.map(([key, cid]): [string, Untyped] => [key, CID.decode(cid.bytes)])
      const [all, changes] = [converted(entries), converted(updates)]
      let tree: Untyped
      return {
        build: async () => {
          tree = await MST.create(new MemoryBlockstore())
          for (const [key, cid] of all) tree = await tree.add(key, cid)
          return (await tree.getPointer()).toString()
        },
        update: async () => {
          let updated = tree
          for (const [key, cid] of changes) updated = await updated.update(key, cid)
          return (await updated.getPointer()).toString()
        },
      }
    },
  }
}

async function openParts(peers: Peers) {
  const [car, cbor, cid, repo, crypto, mst] = (await Promise.all(
    ['car', 'cbor', 'cid', 'repo', 'crypto', 'mst'].map((name) => peers.load(`@atcute/${name}`)),
  )) as Untyped[]
  return {
    verify: async (file: Uint8Array, { did, key }: RepositoryCar): Promise<number> => {
      const reader = car.fromUint8Array(file)
      const root = reader.roots[0].$link
      let commit: Untyped
      for (const entry of reader) {
        const text = cid.toString(entry.cid)
        if (text !== cid.toString(await cid.create(entry.cid.codec, entry.bytes)))
          throw new Error(`${text} is not what its bytes say`)
        if (text === root) commit = cbor.decode(entry.bytes)
      }
      const { sig, ...unsigned } = commit
      const found = crypto.parseDidKey(key.didKey)
      const publicKey = await crypto.Secp256k1PublicKey.importRaw(found.publicKeyBytes)
      if (commit.did !== did || !(await publicKey.verify(cbor.fromBytes(sig), cbor.encode(unsigned))))
        throw new Error('not the commit that was expected')
      let count = 0
      for (const _entry of repo.fromUint8Array(file)) count++
      return count
    },
    trees: async (entries: [string, Cid][], updates: [string, Cid][]) => {
      const store = new mst.NodeStore(new mst.MemoryBlockStore())
      const wrangler = new mst.NodeWrangler(store)
      const putAll = async (list: [string, Cid][], from: string | null) => {
        let root = from
        for (const [key, value] of list)
          root = await wrangler.putRecord(root, key, { $link: value.toString() })
        return root!
      }
      let root: string
      return {
        /** The same tree as `build` makes, out of its nodes: building takes a minute. */
        fill: async (tree: Mst) => {
          for (const { cid, bytes } of tree.nodes()) await store.store.put(cid.toString(), bytes)
          root = tree.root.toString()
        },
        build: async () => {
          root = await putAll(entries, null)
          return root
        },
        update: () => putAll(updates, root),
      }
    },
  }
}
