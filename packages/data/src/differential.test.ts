import assert from 'node:assert/strict'
import test from 'node:test'
import { createMutator } from '@imago/sim/fuzz'
import { createRandom } from '@imago/sim/random'
import { cidFromBytes, cidOfDrisl, cidOfRaw } from './cid.ts'
import { DataError } from './data-error.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import { anyMap } from './lib/any-value.test.ts'
import { toHex } from './multibase.ts'
import { setOwn, type Value } from './value.ts'

/** Codecs that others wrote. Those that are not installed are left out; the first one always is. */
const PEERS = ['@atproto/lex-cbor', '@ipld/dag-cbor', '@atcute/cbor']

/** Rules of DRISL that a peer does not hold to, by what our refusal says. Any other refusal of ours has to be theirs. */
const NOT_CHECKED: Readonly<Record<string, readonly RegExp[]>> = {
  '@atproto/lex-cbor': [
    /UTF-8/,
    /out of order/,
    /safe range/,
    /a float/,
    /`undefined`/,
    /not a CID of atproto/,
    /nested deeper/,
  ],
  '@ipld/dag-cbor': [
    /UTF-8/,
    /out of order/,
    /safe range/,
    /a float/,
    /`undefined`/,
    /not a CID of atproto/,
    /nested deeper/,
  ],
  '@atcute/cbor': [/a float/, /nested deeper/],
}

const RUNS = 800

interface Codec {
  decode(bytes: Uint8Array): unknown
}

const random = createRandom(8)
const samples = [
  ...Array.from({ length: 60 }, () => encode(anyMap(random))),
  encode({
    $type: 'com.example.note',
    text: 'Grüße 😀',
    n: [0, -1, 23, 24, 255, 256, 65_536, 2 ** 32, 2 ** 53 - 1],
  }),
  encode({
    l: cidOfDrisl(new Uint8Array()),
    e: [{ k: new Uint8Array(30), p: 3, t: null, v: cidOfRaw(new Uint8Array()) }],
  }),
]
const mutator = createMutator({ random, maxBytes: 400 })
const inputs = [
  ...samples,
  ...Array.from({ length: RUNS }, () =>
    random.chance(0.15)
      ? random.bytes(1 + random.int(10))
      : mutator.mutate(random.pick(samples), random.pick(samples)).slice(),
  ),
]

for (const name of PEERS) {
  const peer = (await import(name).catch(() => undefined)) as Codec | undefined
  test(`${name} takes the same bytes, to the same values, but for the rules listed`, {
    skip: peer === undefined && 'not installed',
  }, () => {
    let compared = 0
    for (const bytes of inputs) {
      const ours = attempt(() => decode(bytes))
      const theirs = attempt(() => peer!.decode(bytes.slice()))
      if ('error' in ours) {
        assert.ok(ours.error instanceof DataError, String(ours.error))
        const { message } = ours.error
        if ('value' in theirs && !NOT_CHECKED[name]!.some((rule) => rule.test(message)))
          assert.fail(`${name} takes ${toHex(bytes)}: ${message}`)
      } else if ('error' in theirs) assert.fail(`${name} refuses ${toHex(bytes)}: ${theirs.error.message}`)
      else if (!ALTERED[name]!.some((text) => holds(bytes, text))) {
        compared++
        assert.equal(toHex(encode(inOurTypes(theirs.value))), toHex(bytes))
      }
    }
    assert.ok(compared > 50)
  })
}

/** What comes back changed from a peer: the key that it assigns to, so that others shine through; a mark at the start. */
const ALTERED: Readonly<Record<string, readonly string[]>> = {
  '@atproto/lex-cbor': ['__proto__', '\ufeff'],
  '@ipld/dag-cbor': ['__proto__'],
  '@atcute/cbor': ['__proto__'],
}

const holds = (bytes: Uint8Array, text: string) =>
  toHex(bytes).includes(toHex(new TextEncoder().encode(text)))

function attempt<T>(read: () => T): { value: T } | { error: Error } {
  try {
    return { value: read() }
  } catch (error) {
    return { error: error as Error }
  }
}

/** What a peer's value is in our types. Its classes are told by name: which copy of them it uses is its own business. */
function inOurTypes(theirs: unknown): Value {
  if (theirs instanceof Uint8Array || typeof theirs !== 'object' || theirs === null) return theirs as Value
  if (Array.isArray(theirs)) return theirs.map(inOurTypes)
  const kind = Object.getPrototypeOf(theirs)?.constructor?.name
  if (kind === 'CID' || kind === 'CidLinkWrapper')
    return cidFromBytes((theirs as { bytes: Uint8Array }).bytes)
  if (kind === 'BytesWrapper') return (theirs as { buf: Uint8Array }).buf
  const map = {}
  for (const [key, value] of Object.entries(theirs)) setOwn(map, key, inOurTypes(value))
  return map
}
