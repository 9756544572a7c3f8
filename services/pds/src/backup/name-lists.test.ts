import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { BLOBS, placeOf } from './backup-repository.ts'
import { inBuckets, inOrder, packNames, readLists } from './name-lists.ts'

const random = createRandom(1)
const names = (count: number) => Array.from({ length: count }, () => placeOf(BLOBS, random.bytes(32)))

test('every name is in one list, and lists read back are the same names', async () => {
  for (const count of [0, 1, 255, 256, 257, 5000]) {
    const all = names(count)
    assert.deepEqual(inBuckets(all).flat().sort(), [...all].sort())
    assert.deepEqual(inOrder(all).flat(), all)
    const lists = new Map(inOrder(all).map((list, i) => [String(i), packNames(list)]))
    const back = await Array.fromAsync(
      readLists({ getChunk: async (key) => lists.get(key)! }, [...lists.keys()], BLOBS),
    )
    assert.deepEqual(back, all)
  }
})

test('one name more changes one bucket', () => {
  const all = names(5000)
  const before = new Set(inBuckets(all).map((list) => list.join()))
  const after = inBuckets([...all, ...names(1)]).map((list) => list.join())
  assert.equal(after.filter((list) => !before.has(list)).length, 1)
  assert.ok(before.size >= 16)
})
