import assert from 'node:assert/strict'
import type { FuzzTarget } from '@imago/sim/fuzz'
import { cidFromBytes, cidOfDrisl, cidOfRaw } from './cid.ts'
import { DataError } from './data-error.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import { toHex } from './multibase.ts'
import { setOwn, type Value } from './value.ts'

/** A codec that others wrote, and where it is known to differ from the rules. */
export interface Peer {
  readonly name: string
  decode(bytes: Uint8Array): unknown
  /** Rules of DRISL that it does not hold to, by what our refusal says. Any other refusal of ours has to be its own. */
  readonly notChecked: readonly RegExp[]
  /** Texts that come back changed: the key that it assigns to, so that others shine through; a mark at the start. */
  readonly altered: readonly string[]
}

const LOOSE = [
  /UTF-8/,
  /out of order/,
  /safe range/,
  /a float/,
  /`undefined`/,
  /not a CID of atproto/,
  /nested deeper/,
]
const KNOWN: readonly Omit<Peer, 'decode'>[] = [
  { name: '@atproto/lex-cbor', notChecked: LOOSE, altered: ['__proto__', '\ufeff'] },
  { name: '@ipld/dag-cbor', notChecked: LOOSE, altered: ['__proto__'] },
  { name: '@atcute/cbor', notChecked: [/a float/, /nested deeper/], altered: ['__proto__'] },
]

/** Those that are installed. */
export const PEERS: readonly Peer[] = (
  await Promise.all(
    KNOWN.map(async (known): Promise<Peer[]> => {
      const module = (await import(known.name).catch(() => undefined)) as Pick<Peer, 'decode'> | undefined
      return module === undefined ? [] : [{ ...known, decode: module.decode }]
    }),
  )
).flat()

/**
 * The peer takes the same bytes, to the same value, but for what is listed.
 * @returns whether both took them and the values were compared.
 */
export function compareWith(peer: Peer, bytes: Uint8Array): boolean {
  const ours = attempt(() => decode(bytes))
  const theirs = attempt(() => peer.decode(bytes.slice()))
  if ('error' in ours) {
    assert.ok(ours.error instanceof DataError, String(ours.error))
    const { message } = ours.error
    if ('value' in theirs && !peer.notChecked.some((rule) => rule.test(message)))
      assert.fail(`${peer.name} takes ${toHex(bytes)}: ${message}`)
    return false
  }
  if ('error' in theirs) assert.fail(`${peer.name} refuses ${toHex(bytes)}: ${theirs.error.message}`)
  if (peer.altered.some((text) => holds(bytes, text))) return false
  assert.equal(toHex(encode(inOurTypes(theirs.value))), toHex(bytes))
  return true
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

/** The codec and others agree on every input. The target `cbor` asks the same about a sample of its own. */
export const target: FuzzTarget = {
  name: 'cbor-peers',
  seeds: () => [
    encode({
      $type: 'com.example.note',
      text: 'Grüße 😀',
      n: [0, -1, 23, 24, 255, 256, 65_536, 2 ** 32, 2 ** 53 - 1],
    }),
    encode({
      l: cidOfDrisl(new Uint8Array()),
      e: [{ k: new Uint8Array(30), p: 3, t: null, v: cidOfRaw(new Uint8Array()) }],
    }),
    encode([[], {}, '', new Uint8Array(), true, false, null]),
  ],
  run(input) {
    for (const peer of PEERS) compareWith(peer, input)
  },
}
