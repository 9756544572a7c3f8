import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { readCar } from '@imago/data'
import { invertOps, Mst, parseCommit, type RepoOp, verifyTree } from '@imago/repo'
import { type CommitEvent, judgeFrame, parseEvent } from '@imago/sync'
import { openVerdictPool } from '@imago/sync/node'
import { decodeFrame } from '@imago/xrpc/frames'
import { type CommitFrame, type CommitStream, commitFrames } from '../inputs/commit-frames.ts'
import type { GroupContext } from '../lib/group.ts'
import { measure, perSecond } from '../lib/measure.ts'
import { measureAsync } from '../lib/measure-async.ts'
import { installPeers, PeerUnavailableError } from '../lib/peers.ts'
import type { Row } from '../lib/row.ts'
import { openLibsecp256k1 } from '../lib/yardstick.ts'

const SEED = 1
const REPO_RECORDS = 10_000
/** More than fit into the nearest caches of a processor: a stream does not repeat itself. */
const COMMITS = 300
const POOL_FRAMES = 6000
/** What a relay may have in flight: enough to keep all workers busy. */
const IN_FLIGHT = 512

/** Commits of a firehose: the tree undone, the whole verdict, and verdicts on all cores. */
export async function* rows(context: GroupContext): AsyncGenerator<Row> {
  context.progress(`making a repository of ${REPO_RECORDS} records and ${COMMITS} commits`)
  const stream = commitFrames({ seed: SEED, records: REPO_RECORDS, commits: COMMITS })
  const effort = context.quick ? { runs: 3, runMs: 60, warmUpMs: 300 } : { runs: 15, warmUpMs: 1000 }
  yield await inversionRow(stream, effort, context)
  yield* verdictRows(stream, effort)
  yield await poolRow(stream, context)
}

interface Inversion {
  readonly event: CommitEvent
  readonly blocks: ReturnType<typeof readCar>['blocks']
  readonly data: Mst['root']
  readonly ops: readonly RepoOp[]
}

function inversionOf({ bytes }: CommitFrame): Inversion {
  const frame = decodeFrame(bytes)
  assert(frame.kind === 'message')
  const parsed = parseEvent(frame.type, frame.body)
  assert(parsed?.type === '#commit')
  const { event } = parsed
  const { blocks } = readCar(event.blocks)
  const ops = event.ops.map(({ action, path, cid, prev = null }) => ({ action, path, cid, prev }) as RepoOp)
  return { event, blocks, data: parseCommit(blocks.get(event.commit)!).data, ops }
}

/** Every node that was sent is read and checked, the operations are looked up and undone, and the root compared. */
function invert({ blocks, data, ops, event }: Inversion): void {
  const tree = Mst.open(blocks, data)
  verifyTree(tree, { partial: true })
  for (const { path, cid } of ops) {
    const held = tree.get(path)
    if (cid === null ? held !== undefined : held === undefined || !held.equals(cid)) throw new Error(path)
  }
  if (!invertOps(tree, ops).root.equals(event.prevData!)) throw new Error('another root')
}

async function inversionRow(
  { frames }: CommitStream,
  effort: { runs: number },
  { progress }: GroupContext,
): Promise<Row> {
  const inversions = frames.map(inversionOf)
  for (const inversion of inversions) {
    invert(inversion)
    assert.throws(() => invert({ ...inversion, event: { ...inversion.event, prevData: inversion.data } }))
  }
  const library = openLibsecp256k1()
  const { ours, signature } = measure(
    {
      ours: (i) => invert(inversions[i % COMMITS]!),
      ...(library && { signature: library.verify }),
    },
    effort,
  )
  const peers = await invertWithPeer(inversions, progress)
  return {
    name: 'inversion of one commit, all checks',
    unit: 'µs',
    ours: ours.median,
    spread: ours.spread,
    ...(peers && { peers }),
    bar: { limit: 60 },
    ...(signature && { yardstick: library!.yardstick(signature.median) }),
  }
}

/** The one peer that can undo operations over part of a tree: it checks neither the tree's shape nor that ops are true. */
async function invertWithPeer(inversions: readonly Inversion[], progress: (text: string) => void) {
  // biome-ignore lint/suspicious/noExplicitAny: peers are loaded at run time, without their types.
  let mst: any
  let title: string
  try {
    const peers = await installPeers('repositories', progress)
    mst = await peers.load('@atcute/mst')
    title = peers.title('@atcute/mst')
  } catch (error) {
    if (!(error instanceof PeerUnavailableError)) throw error
    return undefined
  }
  const inputs = inversions.map(({ event, blocks, data, ops }) => ({
    blocks: new Map([...blocks].map(({ cid, bytes }) => [cid.toString(), bytes])),
    data: data.toString(),
    prevData: event.prevData!.toString(),
    ops: ops.map(({ path, prev }) => ({ path, prev: prev && { $link: prev.toString() } })),
  }))
  const invertAll = async () => {
    for (const { blocks, data, prevData, ops } of inputs) {
      const store = new mst.MemoryBlockStore()
      for (const [cid, bytes] of blocks) await store.put(cid, bytes)
      const wrangler = new mst.NodeWrangler(new mst.NodeStore(store))
      let root = data
      for (const { path, prev } of ops)
        root = prev ? await wrangler.putRecord(root, path, prev) : await wrangler.deleteRecord(root, path)
      assert.equal(root, prevData)
    }
  }
  const { peer } = await measureAsync({ peer: invertAll }, { runs: 3, warmUps: 2 })
  return { [title]: peer.median / inversions.length }
}

function* verdictRows(stream: CommitStream, effort: { runs: number }): Generator<Row> {
  const { frames, key, nowMs, meanBytes, meanBlocks } = stream
  const judge = ({ bytes, account }: CommitFrame) =>
    judgeFrame(bytes, { account, signingKey: key, nowMs }).outcome
  for (const frame of frames) {
    assert.equal(judge(frame), 'accepted')
    const damaged = frame.bytes.slice()
    // Within the blocks, wherever in the frame they stand.
    damaged[damaged.length >> 1]! ^= 1
    assert.notEqual(judge({ ...frame, bytes: damaged }), 'accepted')
  }
  const library = openLibsecp256k1()
  const { ours, signature } = measure(
    {
      ours: (i) => judge(frames[i % COMMITS]!),
      ...(library && { signature: library.verify }),
    },
    effort,
  )
  const common = {
    spread: ours.spread,
    note: `frames of ${(meanBytes / 1000).toFixed(1)} kB in ${meanBlocks.toFixed(1)} blocks`,
    ...(signature && { yardstick: library!.yardstick(signature.median) }),
  }
  yield {
    ...common,
    name: 'whole commit verdict, sixteen checks',
    unit: 'µs',
    ours: ours.median,
    bar: { limit: 140 },
    bound: { bar: { limit: 170 }, by: BOUND_BY_CACHES },
  }
  yield {
    ...common,
    name: 'commit verdicts of one core',
    unit: '/s',
    ours: perSecond(ours.median),
    bar: { limit: 7000 },
    bound: { bar: { limit: 5800 }, by: BOUND_BY_CACHES },
  }
}

/** Ours and the library take 67 and 56 µs apart, and 10 to 20 more in turns; threads of a pool have caches in common, too. */
const BOUND_BY_CACHES = 'the tables of the library and our own work take turns in the caches (decision 006)'

/** On the clock: what is asked is whether cores that are there are used. */
async function poolRow(stream: CommitStream, { quick }: GroupContext): Promise<Row> {
  const { frames, key, nowMs } = stream
  const cores = availableParallelism()
  await using pool = openVerdictPool({ workers: cores })
  const items = frames.map(({ bytes, account }) => ({ frame: bytes, account, signingKey: key.didKey, nowMs }))
  const judgeAll = async () => {
    let next = 0
    const lane = async () => {
      for (let i = next++; i < POOL_FRAMES; i = next++) {
        const { outcome } = await pool.judge(items[i % COMMITS]!)
        if (outcome !== 'accepted') throw new Error(outcome)
      }
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  }
  const judgeHere = () => {
    for (let i = 0; i < POOL_FRAMES; i++) {
      const { bytes, account } = frames[i % COMMITS]!
      if (judgeFrame(bytes, { account, signingKey: key, nowMs }).outcome !== 'accepted') throw new Error()
    }
  }
  const seconds = async (work: () => unknown) => {
    const start = performance.now()
    await work()
    return (performance.now() - start) / 1000
  }
  const here: number[] = []
  const there: number[] = []
  for (let run = quick ? 1 : -2; run < (quick ? 4 : 9); run++) {
    const [one, many] = [await seconds(judgeHere), await seconds(judgeAll)]
    if (run < 0) continue
    here.push(POOL_FRAMES / one)
    there.push(POOL_FRAMES / many)
  }
  // The best of each: whatever else the machine does only takes away.
  return {
    name: `commit verdicts of a pool on ${cores} cores`,
    unit: '/s',
    ours: Math.max(...there),
    peers: { 'one thread': Math.max(...here) },
    bar: { timesPeer: cores === 2 ? 1.8 : 0.9 * cores },
    bound: { bar: { timesPeer: cores === 2 ? 1.5 : 0.75 * cores }, by: BOUND_BY_CACHES },
    note: 'on the clock, the best of several runs',
  }
}
