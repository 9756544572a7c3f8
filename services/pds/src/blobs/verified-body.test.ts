import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfRaw } from '@imago/data'
import { BlobDamagedError, verifiedBody } from './verified-body.ts'

const BYTES = new TextEncoder().encode('bytes of a blob')

/** What a reader gets before the end, or before the error. */
async function read(stored: readonly Uint8Array[], original: Uint8Array) {
  const state = { returned: 0, received: 0, error: undefined as unknown }
  const pieces = stored.values()
  const body = verifiedBody(
    {
      [Symbol.asyncIterator]: () => ({
        next: async () => pieces.next() as IteratorResult<Uint8Array, undefined>,
        async return() {
          state.returned++
          return { done: true, value: undefined }
        },
      }),
    },
    cidOfRaw(original),
    original.length,
  )
  try {
    for (let next = await body.next(); !next.done; next = await body.next())
      state.received += next.value.length
  } catch (error) {
    state.error = error
  }
  return state
}

test('good bytes pass, in pieces of any size, and none at all', async () => {
  const empty = new Uint8Array(0)
  for (const [stored, original] of [
    [[BYTES], BYTES],
    [[BYTES.slice(0, 4), BYTES.slice(4)], BYTES],
    [[BYTES, empty], BYTES],
    [[], empty],
  ] as const)
    assert.deepEqual(await read(stored, original), {
      returned: 0,
      received: original.length,
      error: undefined,
    })
})

test('other bytes, fewer or more of them fail before the last piece, and the store is let go', async () => {
  const other = BYTES.slice()
  other[0]! ^= 1
  for (const [stored, received] of [
    [[other], 0],
    [[other.slice(0, 4), other.slice(4)], 4],
    [[BYTES.slice(0, 4)], 4],
    [[], 0],
    [[BYTES.slice(0, 4), BYTES], 4],
  ] as const) {
    const state = await read(stored, BYTES)
    assert.ok(state.error instanceof BlobDamagedError)
    assert.equal(state.received, received)
  }
})
