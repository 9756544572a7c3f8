import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { createGenesis, updateOperation } from './author-operation.ts'
import type { PlcOperation } from './operation.ts'
import { PlcError } from './plc-error.ts'
import { siftLog } from './sift-log.ts'

const HOUR_MS = 3_600_000
const [strong, middle, weak] = [generateKeypair('k256'), generateKeypair('p256'), generateKeypair('k256')]
const { did, operation: genesis } = createGenesis(
  {
    rotationKeys: [strong.didKey, middle.didKey, weak.didKey],
    verificationMethods: {},
    alsoKnownAs: ['at://a.test'],
    services: {},
  },
  weak,
)
const rename = (last: PlcOperation, name: string, key = weak) =>
  updateOperation(last, { alsoKnownAs: [`at://${name}.test`] }, key)
/** Signed by nobody who might. */
const forged = (operation: PlcOperation): PlcOperation => ({ ...operation, sig: genesis.sig })
const at = (...operations: readonly [hours: number, operation: unknown][]) =>
  operations.map(([hours, operation]) => ({ operation, createdAt: hours * HOUR_MS }))
const codes = (entries: ReturnType<typeof at>) => siftLog(did, entries).refused.map(({ error }) => error.code)

test('[PLC-33] what may not stand falls with all that rests on it, and what it had undone holds again', () => {
  const second = rename(genesis, 'b')
  const bad = forged(rename(genesis, 'stolen', strong))
  const entries = at([0, genesis], [1, second], [2, bad], [3, rename(bad, 'c')], [4, rename(second, 'd')])
  const { log, standing, refused } = siftLog(did, entries)
  assert.deepEqual(
    refused.map(({ entry, error }) => [entries.indexOf(entry), error.code]),
    [
      [2, 'InvalidSignature'],
      [3, 'Misordered'],
    ],
  )
  assert.deepEqual(standing, [entries[0], entries[1], entries[4]])
  assert.ok(log.entries.every(({ nullified }) => !nullified))
  assert.equal(log.head?.operation.sig, (entries[4]!.operation as PlcOperation).sig)
})

test('[PLC-33] an operation may owe its place to one that it does not follow: a recovery that comes too late without it', () => {
  const disputed = rename(genesis, 'b')
  const bad = forged(rename(genesis, 'c', middle))
  const late = rename(genesis, 'd', strong)
  // In time against the one that may not stand, and not against the one that it had undone.
  assert.deepEqual(codes(at([0, genesis], [1, disputed], [70, bad], [100, late])), [
    'InvalidSignature',
    'LateRecovery',
  ])
  assert.deepEqual(codes(at([0, genesis], [1, disputed], [70, bad], [73, late])), ['InvalidSignature'])
})

test('[PLC-33] nothing is refused of a valid history; all of one whose genesis is not; form counts too', () => {
  assert.deepEqual(codes(at([0, genesis], [1, rename(genesis, 'b')])), [])
  assert.deepEqual(codes([]), [])
  const bad = forged(rename(genesis, 'x'))
  const other = { ...genesis, alsoKnownAs: [] }
  assert.deepEqual(codes(at([0, other], [1, bad])), ['InvalidSignature', 'Misordered'])
  const vain = { ...rename(genesis, 'b'), vanity: 1 }
  assert.deepEqual(codes(at([0, genesis], [1, vain], [2, null])), ['InvalidOperation', 'InvalidOperation'])
  assert.throws(() => siftLog('did:web:a.test', []), PlcError)
})
