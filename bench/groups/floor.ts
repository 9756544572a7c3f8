import assert from 'node:assert/strict'
import { generateKeypair, importKeypair, verifySignature } from '@imago/crypto'
import { type DataMap, decode, encode } from '@imago/data'
import { createRandom, type Random } from '@imago/sim/random'
import { type CommitVerdict, parseEvent, verifyCommit } from '@imago/sync'
import { decodeFrame } from '@imago/xrpc/frames'
import { type CommitFrame, type CommitStream, commitFrames } from '../inputs/commit-frames.ts'
import { largePost, mstNode } from '../inputs/records.ts'
import type { Group, GroupContext } from '../lib/group.ts'
import { type MeasureOptions, measure, perSecond, type Work } from '../lib/measure.ts'
import { installPeers, PeerUnavailableError } from '../lib/peers.ts'
import { formatFigure, type Measurement, type Row } from '../lib/row.ts'

const SEED = 1
const REPO_RECORDS = 10_000
/** More than fit into the nearest caches of a processor: a stream does not repeat itself. */
const COMMITS = 300
const INPUTS = 64
/** About what a commit's signed bytes come to. */
const COMMIT_BYTES = 140

/** What every service spends its time on: the ground floors, one core, no I/O. */
export const group: Group = {
  about: 'data model and commit verdicts on one core',

  async *rows(context): AsyncGenerator<Row> {
    const effort = context.quick ? { runs: 3, runMs: 40, warmUpMs: 120 } : {}
    yield* codecRows(context, effort)
    context.progress(`making a repository of ${REPO_RECORDS} records`)
    yield commitVerdictRow(effort)
  },
}

/** The data model's codec of one package. Each decodes into values of its own, and encodes those. */
interface Codec {
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
}

const INPUT_KINDS: readonly { name: string; make: (random: Random) => DataMap }[] = [
  { name: 'post of 2 kB', make: largePost },
  { name: 'MST node of 4 kB', make: mstNode },
]

async function* codecRows({ progress }: GroupContext, effort: MeasureOptions): AsyncGenerator<Row> {
  const work = INPUT_KINDS.flatMap(({ name, make }) =>
    (['encode', 'decode'] as const).map((direction) => ({
      name: `DRISL ${direction}, ${name}`,
      make,
      direction,
    })),
  )
  let peers: Readonly<Record<string, Codec>>
  try {
    const installed = await installPeers('codecs', progress)
    const load = async (name: string) =>
      [installed.title(name), (await installed.load(name)) as Codec] as const
    peers = Object.fromEntries(
      await Promise.all(['@atcute/cbor', '@atproto/lex-cbor', '@ipld/dag-cbor'].map(load)),
    )
  } catch (error) {
    if (!(error instanceof PeerUnavailableError)) throw error
    yield* work.map(({ name }) => ({ name, missing: error.message }))
    return
  }
  const ours: Codec = { encode: encode as Codec['encode'], decode }
  for (const { name, make, direction } of work) {
    const random = createRandom(SEED)
    const inputs = Array.from({ length: INPUTS }, () => encode(make(random)))
    const candidates = Object.entries({ ours, ...peers }).map(([who, codec]): [string, Work] => {
      const values = inputs.map((bytes) => codec.decode(bytes))
      for (const [i, bytes] of inputs.entries())
        assert.deepEqual(Uint8Array.from(codec.encode(values[i])), bytes, `${who} comes back to other bytes`)
      return [
        who,
        direction === 'encode'
          ? (i) => codec.encode(values[i % INPUTS])
          : (i) => codec.decode(inputs[i % INPUTS]!),
      ]
    })
    const figures = measure(Object.fromEntries(candidates), effort)
    const rates = Object.entries(figures).map(([who, { median }]) => [who, perSecond(median)] as const)
    const { ours: rate, ...others } = Object.fromEntries(rates)
    yield {
      name,
      unit: '/s',
      ours: rate!,
      spread: figures['ours']!.spread,
      peers: others,
      bar: { timesPeer: 2 },
    }
  }
}

/** Frame bytes in, verdict out: decoding, every hash, sixteen checks, the signature among them. */
function judge(
  { bytes, account }: CommitFrame,
  { key, nowMs }: Pick<CommitStream, 'key' | 'nowMs'>,
): CommitVerdict {
  const frame = decodeFrame(bytes)
  assert(frame.kind === 'message')
  const parsed = parseEvent(frame.type, frame.body)
  assert(parsed?.type === '#commit')
  return verifyCommit(parsed.event, { account, signingKey: key, nowMs })
}

function commitVerdictRow(effort: MeasureOptions): Measurement {
  const stream = commitFrames({ seed: SEED, records: REPO_RECORDS, commits: COMMITS })
  const { frames, meanBytes, meanBlocks } = stream
  checkVerdicts(stream)
  const random = createRandom(SEED)
  const keypair = importKeypair('k256', random.bytes(32))
  const message = random.bytes(COMMIT_BYTES)
  const signature = keypair.sign(message)
  const figures = measure(
    {
      verdict: (i) => judge(frames[i % frames.length]!, stream),
      // What no verdict can do without: beside it, a slow machine is told from a slow verdict.
      signature: () => verifySignature(keypair.publicKey, message, signature),
    },
    effort,
  )
  return {
    name: 'whole commit verdict, sixteen checks, 10k records',
    unit: 'µs',
    ours: figures.verdict.median,
    spread: figures.verdict.spread,
    bar: { limit: 300 },
    note: `frames of ${(meanBytes / 1000).toFixed(1)} kB in ${meanBlocks.toFixed(1)} blocks; the signature alone takes ${formatFigure(figures.signature.median, 'µs')}`,
  }
}

/** Every frame is accepted; and it is refused with another key, a block of other bytes, or another tree before it. */
function checkVerdicts(stream: CommitStream): void {
  const random = createRandom(SEED)
  const stranger = { ...stream, key: generateKeypair('k256').publicKey }
  for (const frame of stream.frames) {
    const verdict = judge(frame, stream)
    assert.deepEqual([verdict.outcome, verdict.accepted && verdict.findings], ['accepted', []])
    assert.equal(refusedBy(judge(frame, stranger)), 'signature')
    const decoded = decodeFrame(frame.bytes)
    const parsed = decoded.kind === 'message' ? parseEvent(decoded.type, decoded.body) : undefined
    assert(parsed?.type === '#commit')
    const context = { account: frame.account, signingKey: stream.key, nowMs: stream.nowMs }
    const blocks = parsed.event.blocks.slice()
    // The last block ends the CAR: a byte of it is always one of a block.
    blocks[blocks.length - 1 - random.int(32)]! ^= 1
    assert.equal(refusedBy(verifyCommit({ ...parsed.event, blocks }, context)), 'car-integrity')
    const otherTree = { ...parsed.event, prevData: parsed.event.commit }
    assert.equal(refusedBy(verifyCommit(otherTree, context)), 'inversion')
  }
}

const refusedBy = (verdict: CommitVerdict) => (verdict.accepted ? 'nothing' : verdict.name)
