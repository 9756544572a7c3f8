import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import { createRandom } from '@imago/sim/random'
import { keyHeight } from './key-height.ts'
import { naiveHeight } from './naive-tree.fixture.ts'

vectorTest('heights of the interoperability vectors', (vectors) => {
  const rows = vectors.json<{ key: string; height: number }[]>('atproto-interop-tests/mst/key_heights.json')
  assert.ok(rows.length > 5)
  for (const { key, height } of rows) assert.equal(keyHeight(key), height, key)
})

vectorTest('example keys stand where their names say', (vectors) => {
  const keys = vectors.lines('atproto-interop-tests/mst/example_keys.txt')
  assert.ok(keys.length > 100)
  for (const key of keys) assert.equal(keyHeight(key), Number(key.slice(1, key.indexOf('/'))), key)
})

test('short keys are hashed as OpenSSL hashes them, at every length around a block', () => {
  const random = createRandom(24)
  for (let length = 0; length < 70; length++)
    for (let i = 0; i < 40; i++) {
      const key = Array.from({ length }, () => random.pick([...'abcxyz019/.-'])).join('')
      assert.equal(keyHeight(key), naiveHeight(key), JSON.stringify(key))
    }
  assert.equal(keyHeight('schlüssel'), naiveHeight('schlüssel'))
})
