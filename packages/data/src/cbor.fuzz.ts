import assert from 'node:assert/strict'
import { type FuzzTarget, isSampled } from '@imago/sim/fuzz'
import { equalBytes } from './bytes.ts'
import { cidOfDrisl, cidOfRaw } from './cid.ts'
import { DataError } from './data-error.ts'
import { decode, decodeFirst } from './decode.ts'
import { target as peers } from './differential.fuzz.ts'
import { encode } from './encode.ts'
import { RECORD_LIMITS } from './limits.ts'
import { fromHex, toHex } from './multibase.ts'
import type { Value } from './value.ts'

/** Others' codecs take several times as long as ours. */
const ONE_IN_FOR_PEERS = 64

const link = cidOfDrisl(Uint8Array.of(1))

/** Accepts what the encoder writes and nothing else, as others do. */
export const target: FuzzTarget = {
  name: 'cbor',
  dictionary: [
    '$type',
    '__proto__',
    fromHex('d82a58250001711220'),
    fromHex('1b001fffffffffffff'),
    fromHex('fb'),
  ],
  seeds: () => [
    encode({ $type: 'com.example.note', text: 'Grüße 😀', langs: ['en', 'de'], at: -70_000 }),
    encode({ e: [{ k: Uint8Array.of(1, 2), p: 0, t: null, v: link }], l: link }),
    encode([
      { ref: cidOfRaw(new Uint8Array()), size: 2 ** 40 },
      true,
      false,
      null,
      new Uint8Array(40),
      'x'.repeat(300),
    ]),
    encode({ a: [[[[]]]], b: { c: { d: {} } }, ['k'.repeat(30)]: Number.MIN_SAFE_INTEGER }),
  ],
  run(input) {
    const value = unlessRefused(() => decode(input))
    if (value !== undefined) comesBackTo(input, value)
    const first = unlessRefused(() => decodeFirst(input, 0, RECORD_LIMITS))
    if (first !== undefined && (value === undefined || first.end !== input.length))
      comesBackTo(input.subarray(0, first.end), first.value)
    // What is refused without bounds is not accepted with them.
    if (value === undefined && first !== undefined) assert.ok(first.end < input.length)
    if (isSampled(input, ONE_IN_FOR_PEERS)) peers.run(input)
  },
}

function comesBackTo(input: Uint8Array, value: Value): void {
  const bytes = encode(value)
  if (!equalBytes(bytes, input)) assert.equal(toHex(bytes), toHex(input), 'it comes back to other bytes')
}

function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    return undefined
  }
}
