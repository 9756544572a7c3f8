import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { cidOf, naiveTree, randomEntries } from './naive-tree.fixture.ts'

test('the naive tree gives the roots that every implementation gives', () => {
  assert.equal(
    String(naiveTree(new Map()).root),
    'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm',
  )
  const entries = new Map([['com.example.record/3jqfcqzm3fo2j', cidOf(0)]])
  assert.equal(naiveTree(entries).blocks.size, 1)
  assert.equal(naiveTree(randomEntries(createRandom(1), 100)).blocks.size > 20, true)
})
