import assert from 'node:assert/strict'
import { type DataMap, decode, encode } from '@imago/data'
import { createRandom, type Random } from '@imago/sim/random'
import { largePost, mstNode } from '../inputs/records.ts'
import type { GroupContext } from '../lib/group.ts'
import { type MeasureOptions, measure, perSecond, type Work } from '../lib/measure.ts'
import { installPeers, PeerUnavailableError } from '../lib/peers.ts'
import type { Bound, Row } from '../lib/row.ts'

const SEED = 1
const INPUTS = 64

/** The data model's codec of one package. Each decodes into values of its own, and encodes those. */
interface Codec {
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
}

const PEERS = ['@atcute/cbor', '@atproto/lex-cbor', '@ipld/dag-cbor']

interface InputKind {
  readonly name: string
  readonly make: (random: Random) => DataMap
  /** Of decoding. */
  readonly bound?: Bound
}

const INPUT_KINDS: readonly InputKind[] = [
  {
    name: 'post of 2 kB',
    make: largePost,
    bound: {
      bar: { timesPeer: 1.6 },
      by: 'a call into Node for each longer string, and stores to properties, which the peer pays as well (decision 006)',
    },
  },
  { name: 'MST node of 4 kB', make: mstNode },
]

/** Records and tree nodes from bytes to values and back, as all do who read or write the network. */
export async function* rows({ quick, progress }: GroupContext): AsyncGenerator<Row> {
  const work = INPUT_KINDS.flatMap(({ name, make, bound }) =>
    (['decode', 'encode'] as const).map((direction) => ({
      name: `DRISL ${direction}, ${name}`,
      make,
      direction,
      bound: direction === 'decode' ? bound : undefined,
    })),
  )
  let peers: Readonly<Record<string, Codec>>
  try {
    peers = await loadPeers(progress)
  } catch (error) {
    if (!(error instanceof PeerUnavailableError)) throw error
    yield* work.map(({ name }) => ({ name, missing: error.message }))
    return
  }
  const effort = quick ? { runs: 3, runMs: 40, warmUpMs: 120 } : {}
  const codecs = { ours: { encode: encode as Codec['encode'], decode }, ...peers }
  for (const { name, make, direction, bound } of work) {
    const random = createRandom(SEED)
    const inputs = Array.from({ length: INPUTS }, () => encode(make(random)))
    const figures = ratesOf(codecs, direction, inputs, effort)
    const { ours, ...others } = Object.fromEntries(
      Object.entries(figures).map(([who, { median }]) => [who, perSecond(median)]),
    )
    yield {
      name,
      unit: '/s',
      ours: ours!,
      spread: figures['ours']!.spread,
      peers: others,
      bar: { timesPeer: 2 },
      ...(bound && { bound }),
    }
  }
}

async function loadPeers(progress: GroupContext['progress']): Promise<Readonly<Record<string, Codec>>> {
  const installed = await installPeers('codecs', progress)
  const load = async (name: string) => [installed.title(name), (await installed.load(name)) as Codec] as const
  return Object.fromEntries(await Promise.all(PEERS.map(load)))
}

function ratesOf(
  codecs: Readonly<Record<string, Codec>>,
  direction: 'decode' | 'encode',
  inputs: readonly Uint8Array[],
  effort: MeasureOptions,
) {
  const candidates = Object.entries(codecs).map(([who, codec]): [string, Work] => {
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
  return measure(Object.fromEntries(candidates), effort)
}
