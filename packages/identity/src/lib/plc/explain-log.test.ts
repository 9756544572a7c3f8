import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { createGenesis, tombstoneOperation, updateOperation } from './author-operation.ts'
import { diffData } from './diff-data.ts'
import { explainLog } from './explain-log.ts'
import type { PlcData } from './operation.ts'
import { acceptOperation, createLog } from './plc-log.ts'

const [own, host, thief] = [generateKeypair('p256'), generateKeypair('k256'), generateKeypair('k256')]
const pds = (endpoint: string) => ({ atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint } })
const data: PlcData = {
  rotationKeys: [own.didKey, host.didKey],
  verificationMethods: { atproto: host.didKey },
  alsoKnownAs: ['at://alice.test'],
  services: pds('https://pds.test'),
}
const HOUR_MS = 3_600_000

test('a theft and its undoing, told in full', () => {
  const { did, operation: genesis } = createGenesis(data, host)
  const log = createLog(did)
  acceptOperation(log, genesis, 0)
  const theft = updateOperation(
    genesis,
    { rotationKeys: [thief.didKey], services: pds('https://thief.test') },
    host,
  )
  acceptOperation(log, theft, HOUR_MS)
  const after = updateOperation(theft, { alsoKnownAs: ['at://mallory.test'] }, thief)
  acceptOperation(log, after, 2 * HOUR_MS)
  const rescue = updateOperation(genesis, { rotationKeys: [own.didKey] }, own)
  acceptOperation(log, rescue, 3 * HOUR_MS)
  const end = tombstoneOperation(rescue, own)
  acceptOperation(log, end, 4 * HOUR_MS)

  const [first, stolen, consequence, recovery, ended] = explainLog(log)
  assert.deepEqual(
    [first, stolen, consequence, recovery, ended].map((one) => one!.kind),
    ['genesis', 'update', 'update', 'recovery', 'tombstone'],
  )
  assert.deepEqual(first!.signedBy, { key: host.didKey, position: 1, of: 2 })
  assert.deepEqual(first!.strongerKeys, [], 'a genesis cannot be undone')
  assert.deepEqual(stolen!.strongerKeys, [own.didKey])
  assert.equal(stolen!.disputableUntil, 73 * HOUR_MS)
  assert.deepEqual(stolen!.undone, {
    by: recovery!.entry.cid,
    byKey: own.didKey,
    byPosition: 0,
    afterMs: 2 * HOUR_MS,
    isConsequence: false,
  })
  assert.deepEqual(
    stolen!.changes.map(({ what, kind }) => `${what} ${kind}`),
    ['rotationKey removed', 'rotationKey removed', 'rotationKey added', 'service changed'],
  )
  assert.equal(consequence!.undone?.isConsequence, true)
  assert.equal(consequence!.signedBy.key, thief.didKey)
  assert.deepEqual(recovery!.undid, [stolen!.entry.cid, consequence!.entry.cid])
  assert.deepEqual(recovery!.changes, [
    { what: 'rotationKey', kind: 'removed', key: host.didKey, position: 1 },
  ])
  assert.equal(ended!.undone, undefined)
  assert.ok(ended!.changes.every(({ kind }) => kind === 'removed'))
})

test('a second recovery undoes the first, and says so of both', () => {
  const [a, b, c] = [generateKeypair('k256'), generateKeypair('k256'), generateKeypair('k256')]
  const keys = [a.didKey, b.didKey, c.didKey]
  const { did, operation: genesis } = createGenesis({ ...data, rotationKeys: keys }, c)
  const log = createLog(did)
  acceptOperation(log, genesis, 0)
  for (const [i, key] of [c, b, a].entries())
    acceptOperation(
      log,
      updateOperation(genesis, { alsoKnownAs: [`at://${i}.test`] }, key),
      (i + 1) * HOUR_MS,
    )
  const told = explainLog(log)
  assert.deepEqual(
    told.map(({ undone }) => undone?.byPosition),
    [undefined, 1, 0, undefined],
  )
  assert.deepEqual(
    told.map(({ undid }) => undid.length),
    [0, 0, 1, 1],
  )
})

test('changes: order, and names that objects have themselves', () => {
  const swapped = diffData(data, { ...data, rotationKeys: [host.didKey, own.didKey] })
  assert.deepEqual(swapped, [{ what: 'rotationKeys', kind: 'reordered', keys: [host.didKey, own.didKey] }])
  assert.deepEqual(diffData(data, data), [])
  const named = diffData(data, {
    ...data,
    verificationMethods: { ...data.verificationMethods, ['constructor']: 'x' },
  })
  assert.deepEqual(named, [
    { what: 'verificationMethod', kind: 'added', name: 'constructor', before: undefined, after: 'x' },
  ])
})
