import assert from 'node:assert/strict'
import test from 'node:test'
import { importKeypair } from '@imago/crypto'
import { fuzzBriefly } from '@imago/sim/fuzz'
import fc from 'fast-check'
import { createGenesis } from './author-operation.ts'
import { parseOperation } from './parse-operation.ts'
import { forks, target } from './plc.fuzz.ts'

test('[PLC-21] no mutation of an operation, and no other spelling of its signature, is taken for another', () => {
  fuzzBriefly(target, { executions: 500, seed: 2 })
})

test('[PLC-22] forks are judged as by the rules written down twice more, by list and by allowance', () => {
  fuzzBriefly(forks, { executions: 100, seed: 3 })
})

test('histories of any shape are judged alike', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 48 }), (input) => forks.run(input)),
    { seed: 5, numRuns: 60 },
  )
})

const key = importKeypair('p256', new Uint8Array(32).fill(1))
const { operation } = createGenesis(
  { rotationKeys: [key.didKey], verificationMethods: {}, alsoKnownAs: [], services: {} },
  key,
)
const refusals: Readonly<Record<string, unknown>> = {
  'nesting without end': JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`),
  'nesting in a service': {
    ...operation,
    services: JSON.parse(`${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`),
  },
  '7,501 bytes': { ...operation, alsoKnownAs: ['a'.repeat(7501)] },
  'a lone surrogate': { ...operation, alsoKnownAs: ['at://\ud800'] },
  'a lone surrogate in a name': { ...operation, services: { '\udc00': { type: '', endpoint: '' } } },
  'another type of rotation key': {
    ...operation,
    rotationKeys: ['did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'],
  },
  'a NUL': { ...operation, alsoKnownAs: ['a\0b'] },
  'text in place of a list': { ...operation, alsoKnownAs: 'at://a.test' },
  'a list in place of a map': { ...operation, services: [] },
  'a prototype in place of fields': JSON.parse(`{"__proto__":${JSON.stringify(operation)}}`),
  nothing: null,
}
for (const [what, json] of Object.entries(refusals))
  test(`[PLC-11] refused with a reason: ${what}`, () => {
    assert.throws(() => parseOperation(json, 'ingest'), { name: 'PlcError' })
  })
