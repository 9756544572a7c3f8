import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfRaw, DataError } from '@imago/data'
import { wireJson } from './wire-json.ts'

test('keys that are undefined are left out at any depth, and the value is not touched', () => {
  const value = { cursor: undefined, items: [{ a: 1, b: undefined }, { c: { d: undefined } }], none: null }
  const before = structuredClone(value)
  assert.equal(wireJson(value), '{"items":[{"a":1},{"c":{}}],"none":null}')
  assert.deepEqual(value, before)
})

test('links and bytes take their JSON form', () => {
  const link = cidOfRaw(new Uint8Array([1]))
  assert.equal(
    wireJson({ link, bytes: new Uint8Array([1, 2]), gone: undefined }),
    `{"link":{"$link":"${link}"},"bytes":{"$bytes":"AQI"}}`,
  )
})

test('what the data model cannot hold is refused', () => {
  const cycle: unknown[] = []
  cycle.push({ cycle })
  for (const value of [{ a: 1.5 }, [undefined], { a: () => 1 }, undefined, cycle])
    assert.throws(() => wireJson(value), DataError)
})
