import assert from 'node:assert/strict'
import test from 'node:test'
import fc, { type Arbitrary } from 'fast-check'
import { Cid, cidOfDrisl, cidOfRaw } from '../cid.ts'
import { type DataMap, setOwn, type Value } from '../value.ts'

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.string({ unit: 'binary-ascii', maxLength: 50 }),
)
const bytes = fc.uint8Array({ maxLength: 40 })

const scalar: Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(null, true, false),
  fc.maxSafeInteger(),
  fc.integer({ min: -70_000, max: 70_000 }),
  text,
  bytes,
  bytes.map(cidOfDrisl),
  bytes.map(cidOfRaw),
)

const key = fc.oneof(text, fc.constantFrom('$type', 'createdAt', 'text', 'cid', 'constructor', '__proto__'))

function mapOf(value: Arbitrary<Value>): Arbitrary<DataMap> {
  return fc.array(fc.tuple(key, value), { maxLength: 6 }).map((entries) => {
    const map: DataMap = {}
    for (const [name, entry] of entries) setOwn(map, name, entry)
    return map
  })
}

/** Any value that the data model can hold, some levels deep. */
export const { value: dataValue } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 6 }),
    mapOf(tie('value')),
  ),
}))

/** Any map of such values. */
export const dataMap: Arbitrary<DataMap> = mapOf(dataValue)

test('these values include every kind that the data model has', () => {
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
  for (const value of fc.sample(dataMap, { numRuns: 250, seed: 1 })) visit(value)
  assert.deepEqual(
    [...kinds].sort(),
    'array,boolean,bytes,link to 113,link to 85,map,map with __proto__,null,number,string'.split(','),
  )
})
