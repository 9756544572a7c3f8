import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { isAtMost, isBelow, isZero, subtractFrom } from './scalar.ts'

const OFFSET = 3
/** Mostly numbers that differ late or not at all, where a comparison goes wrong first. */
const scalar = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), fc.bigInt({ min: 0n, max: 3n }))

function bytesOf(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * (31 - i))) & 255n))
}

function atOffset(value: bigint): Uint8Array {
  return Uint8Array.of(9, 9, 9, ...bytesOf(value), 9)
}

function numberAt(bytes: Uint8Array): bigint {
  return bytes.subarray(OFFSET, OFFSET + 32).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

test('scalars compare as the numbers they are', () => {
  fc.assert(
    fc.property(scalar, scalar, (a, b) => {
      assert.equal(isAtMost(atOffset(a), OFFSET, bytesOf(b)), a <= b)
      assert.equal(isBelow(atOffset(a), OFFSET, bytesOf(b)), a < b)
      assert.equal(isZero(atOffset(a), OFFSET), a === 0n)
      assert(isAtMost(atOffset(a), OFFSET, bytesOf(a)) && !isBelow(atOffset(a), OFFSET, bytesOf(a)))
    }),
    { seed: 1, numRuns: 300 },
  )
})

test('scalars subtract as the numbers they are, and touch nothing beside them', () => {
  fc.assert(
    fc.property(scalar, scalar, (a, b) => {
      const [large, small] = a > b ? [a, b] : [b, a]
      const bytes = atOffset(small)
      subtractFrom(bytesOf(large), bytes, OFFSET)
      assert.equal(numberAt(bytes), large - small)
      assert.deepEqual([...bytes.subarray(0, OFFSET), ...bytes.subarray(OFFSET + 32)], [9, 9, 9, 9])
    }),
    { seed: 2, numRuns: 300 },
  )
})
