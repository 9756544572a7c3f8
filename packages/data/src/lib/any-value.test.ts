import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { Cid } from '../cid.ts'
import type { Value } from '../value.ts'
import { anyMap } from './any-value.fixture.ts'

test('these values include every kind that the data model has', () => {
  const random = createRandom(1)
  const kinds = new Set<string>()
  const visit = (value: Value): void => {
    if (value instanceof Cid) kinds.add(`link to ${value.codec}`)
    else if (value instanceof Uint8Array) kinds.add('bytes')
    else if (Array.isArray(value)) {
      kinds.add('array')
      value.forEach(visit)
    } else if (typeof value === 'object' && value !== null) {
      kinds.add(Object.hasOwn(value, '__proto__') ? 'map with __proto__' : 'map')
      Object.values(value).forEach(visit)
    } else kinds.add(value === null ? 'null' : typeof value)
  }
  for (let i = 0; i < 100; i++) visit(anyMap(random))
  assert.deepEqual(
    [...kinds].sort(),
    'array,boolean,bytes,link to 113,link to 85,map,map with __proto__,null,number,string'.split(','),
  )
})
