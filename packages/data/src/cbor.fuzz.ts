import assert from 'node:assert/strict'
import type { FuzzTarget } from '@imago/sim/fuzz'
import { cidOfDrisl, cidOfRaw } from './cid.ts'
import { DataError } from './data-error.ts'
import { decode, decodeFirst } from './decode.ts'
import { encode } from './encode.ts'
import { RECORD_LIMITS } from './limits.ts'
import { fromHex, toHex } from './multibase.ts'
import type { Value } from './value.ts'

const link = cidOfDrisl(Uint8Array.of(1))

/** Accepts what the encoder writes and nothing else. */
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
    const value = attempt(() => decode(input))
    if (value !== undefined) assert.equal(toHex(encode(value)), toHex(input), 'it comes back to other bytes')
    const first = attempt(() => decodeFirst(input, 0, RECORD_LIMITS))
    if (first !== undefined)
      assert.equal(toHex(encode(first.value)), toHex(input.subarray(0, first.end)), 'so does the first value')
    // What is refused without bounds is not accepted with them.
    if (value === undefined && first !== undefined) assert.ok(first.end < input.length)
  },
}

function attempt<T extends Value | { value: Value; end: number }>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    assert.ok(error instanceof DataError, `not a DataError: ${error}`)
    return undefined
  }
}
