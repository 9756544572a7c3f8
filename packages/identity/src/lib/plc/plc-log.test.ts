import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair, type Keypair, parseDidKey, verifySignature } from '@imago/crypto'
import { vectorTest } from '@imago/sim/infrastructure'
import { createRandom, type Random } from '@imago/sim/random'
import { createGenesis, signOperation, tombstoneOperation, updateOperation } from './author-operation.ts'
import { normalizeOperation, type Operation, type PlcData, type PlcOperation } from './operation.ts'
import { decodeSignature, operationCid, unsignedBytes } from './operation-bytes.ts'
import { parseOperation } from './parse-operation.ts'
import { PlcError, type PlcErrorCode } from './plc-error.ts'
import { acceptOperation, createLog, RECOVERY_WINDOW_MS, stateOf, validateLog } from './plc-log.ts'

interface AuditEntry {
  did: string
  operation: unknown
  cid: string
  nullified: boolean
  createdAt: string
}

function replay(entries: readonly AuditEntry[]) {
  return validateLog(
    entries[0]!.did,
    entries.map((entry) => ({ ...entry, operation: parseOperation(entry.operation, 'replay') })),
  )
}

const VALID = 'did-plc-audit-logs/valid'
const INVALID = 'did-plc-audit-logs/invalid'

vectorTest(
  '[PLC-7] [PLC-9] [PLC-18] the valid audit logs replay, to the same CIDs and nullified flags',
  (vectors) => {
    const files = vectors.list(VALID)
    assert.equal(files.length, 10)
    for (const file of files) {
      const entries = vectors.json<AuditEntry[]>(`${VALID}/${file}`)
      const verdict = replay(entries).entries.map(({ cid, nullified }) => ({ cid, nullified }))
      assert.deepEqual(
        verdict,
        entries.map(({ cid, nullified }) => ({ cid, nullified })),
        file,
      )
    }
  },
)

vectorTest(
  '[PLC-20] [PLC-21] [PLC-22] the invalid audit logs are refused, each for its reason',
  (vectors) => {
    const codes: Record<string, PlcErrorCode> = {
      log_invalid_nullification_reused_key: 'StalePrev',
      log_invalid_nullification_too_slow: 'LateRecovery',
      log_invalid_update_nullified: 'Misordered',
      log_invalid_update_tombstoned: 'Misordered',
    }
    const files = vectors.list(INVALID)
    assert.equal(files.length, 10)
    for (const file of files) {
      const entries = vectors.json<AuditEntry[]>(`${INVALID}/${file}`)
      const code = codes[file.replace('.json', '')] ?? 'InvalidSignature'
      assert.throws(
        () => replay(entries),
        (error) => error instanceof PlcError && error.code === code,
        file,
      )
    }
  },
)

const T0 = Date.UTC(2026, 0, 1)
const keys = [
  generateKeypair('k256'),
  generateKeypair('p256'),
  generateKeypair('k256'),
  generateKeypair('p256'),
]
const [strong, middle, weak] = keys as [Keypair, Keypair, Keypair, Keypair]
const data: PlcData = {
  rotationKeys: [strong.didKey, middle.didKey, weak.didKey],
  verificationMethods: { atproto: weak.didKey },
  alsoKnownAs: ['at://alice.test'],
  services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://pds.test' } },
}

function started() {
  const { did, operation } = createGenesis(data, weak)
  const log = createLog(did)
  acceptOperation(log, operation, T0)
  return { log, genesis: operation }
}

const refusal = (code: PlcErrorCode) => (error: unknown) => error instanceof PlcError && error.code === code

test('[PLC-22] a stronger key undoes an operation up to 72 hours after it, and not a millisecond later', () => {
  const theft = (genesis: PlcOperation) => updateOperation(genesis, { rotationKeys: [weak.didKey] }, weak)
  for (const [lateBy, ok] of [
    [0, true],
    [1, false],
  ] as const) {
    const { log, genesis } = started()
    const stolen = theft(genesis)
    acceptOperation(log, stolen, T0 + 1)
    const rescue = updateOperation(genesis, { alsoKnownAs: ['at://back.test'] }, strong)
    const at = T0 + 1 + RECOVERY_WINDOW_MS + lateBy
    if (ok) {
      const { nullified } = acceptOperation(log, rescue, at)
      assert.deepEqual(nullified.map(String), [operationCid(stolen).toString()])
      assert.deepEqual(stateOf(log)?.alsoKnownAs, ['at://back.test'])
    } else {
      assert.throws(() => acceptOperation(log, rescue, at), {
        code: 'LateRecovery',
        message: `Recovery operation occurred outside of the allowed 72 hr recovery window. Time lapsed: ${RECOVERY_WINDOW_MS + 1}`,
      })
      assert.equal(log.entries.length, 2)
    }
  }
})

test('a second recovery is measured from the first one, and needs a still stronger key', () => {
  const { log, genesis } = started()
  acceptOperation(log, updateOperation(genesis, { alsoKnownAs: ['at://a.test'] }, weak), T0 + 1)
  acceptOperation(
    log,
    updateOperation(genesis, { alsoKnownAs: ['at://b.test'] }, middle),
    T0 + RECOVERY_WINDOW_MS,
  )
  const again = updateOperation(genesis, { alsoKnownAs: ['at://c.test'] }, middle)
  assert.throws(() => acceptOperation(log, again, T0 + RECOVERY_WINDOW_MS + 1), refusal('StalePrev'))
  const last = updateOperation(genesis, { alsoKnownAs: ['at://d.test'] }, strong)
  acceptOperation(log, last, T0 + 2 * RECOVERY_WINDOW_MS)
  assert.deepEqual(
    log.entries.map(({ nullified }) => nullified),
    [false, true, true, false],
  )
})

test('a tombstone ends a DID, and can itself be undone', () => {
  const { log, genesis } = started()
  const tombstone = tombstoneOperation(genesis, weak)
  acceptOperation(log, tombstone, T0 + 1)
  assert.equal(stateOf(log), undefined)
  const { type, ...rest } = genesis
  const after = signOperation<PlcOperation>(
    { type, ...rest, prev: operationCid(tombstone).toString() },
    strong,
  )
  assert.throws(() => acceptOperation(log, after, T0 + 2), refusal('Misordered'))
  acceptOperation(log, updateOperation(genesis, {}, middle), T0 + 2)
  assert.equal(stateOf(log)?.did, log.did)
})

test('[PLC-19] [PLC-20] a genesis belongs to its DID, and comes once', () => {
  const { log, genesis } = started()
  const other = createGenesis({ ...data, alsoKnownAs: [] }, weak)
  assert.throws(() => acceptOperation(log, other.operation, T0 + 1), {
    code: 'Misordered',
    message: 'Operations not correctly ordered',
  })
  assert.throws(() => acceptOperation(createLog(other.did), genesis, T0), {
    code: 'GenesisMismatch',
    message: `Hash of genesis operation does not match DID identifier: ${log.did}`,
  })
  assert.throws(() => createLog('did:plc:short'), refusal('InvalidDid'))
})

test('time in a log always moves on', () => {
  const { log, genesis } = started()
  for (const at of [T0, T0 - 1, Number.NaN])
    assert.throws(() => acceptOperation(log, updateOperation(genesis, {}, weak), at), refusal('InvalidTime'))
})

test('a judged operation leaves the log as it was', () => {
  const { log, genesis } = started()
  const before = structuredClone(log.entries.map(({ nullified }) => nullified))
  assert.throws(() =>
    acceptOperation(log, { ...updateOperation(genesis, {}, weak), sig: 'A'.repeat(86) }, T0 + 1),
  )
  assert.deepEqual(
    log.entries.map(({ nullified }) => nullified),
    before,
  )
})

// ---- The rules of the specification once more, over lists, as a judge of the single pass --------------------------

interface Listed {
  operation: Operation
  cid: string
  at: number
  nullified: boolean
}

const signed = (operation: Operation, didKey: string) => {
  const sig = decodeSignature(operation.sig)
  return sig !== undefined && verifySignature(parseDidKey(didKey), unsignedBytes(operation), sig)
}

/** Whether `operation` may follow; where it may, the list holds it afterwards. */
function judgeByLists(list: Listed[], operation: Operation, at: number): boolean {
  const cid = operationCid(operation).toString()
  const enter = () => list.push({ operation, cid, at, nullified: false })
  const current = list.filter((entry) => !entry.nullified)
  if (current.length === 0) {
    const own = normalizeOperation(operation)
    if (operation.prev !== null || own === undefined) return false
    if (!own.rotationKeys.some((key) => signed(operation, key))) return false
    enter()
    return true
  }
  const parentAt = current.findIndex((entry) => entry.cid === operation.prev)
  const parent = current[parentAt]
  if (parent === undefined || parent.operation.type === 'plc_tombstone') return false
  if (at <= current.at(-1)!.at) return false
  const rotationKeys = normalizeOperation(parent.operation)!.rotationKeys
  const later = current.slice(parentAt + 1)
  const first = later[0]
  if (first === undefined) {
    if (!rotationKeys.some((key) => signed(operation, key))) return false
  } else {
    const disputedSigner = rotationKeys.findIndex((key) => signed(first.operation, key))
    if (!rotationKeys.slice(0, disputedSigner).some((key) => signed(operation, key))) return false
    if (at - first.at > RECOVERY_WINDOW_MS) return false
  }
  for (const entry of later) entry.nullified = true
  enter()
  return true
}

function randomData(random: Random): PlcData {
  const rotationKeys = Array.from({ length: random.int(5) }, () => random.pick(keys).didKey)
  return { ...data, rotationKeys, alsoKnownAs: [`at://n${random.int(1e6)}.test`] }
}

/** Mostly an operation that stands a chance: near the head, and signed by a key that the parent names. */
function randomNext(random: Random, list: readonly Listed[]): Operation {
  const current = list.filter((entry) => !entry.nullified)
  const parent = random.chance(0.9)
    ? current.at(-1 - random.int(Math.min(3, current.length)))!
    : random.pick(list)
  const named = normalizeOperation(parent.operation)?.rotationKeys ?? []
  const candidates = keys.filter(({ didKey }) => named.includes(didKey))
  const signer = random.pick(random.chance(0.9) && candidates.length > 0 ? candidates : keys)
  return random.chance(0.1)
    ? signOperation<Operation>({ type: 'plc_tombstone', prev: parent.cid }, signer)
    : signOperation<Operation>({ type: 'plc_operation', ...randomData(random), prev: parent.cid }, signer)
}

test('single pass and lists agree on random forks, keys and times around 72 hours', () => {
  const random = createRandom(7)
  const seen = { accepted: 0, refused: 0, undone: 0 }
  for (let round = 0; round < 30; round++) {
    const { did, operation } = createGenesis(data, random.pick([strong, middle, weak]))
    const log = createLog(did)
    const list: Listed[] = []
    let at = T0
    acceptOperation(log, operation, at)
    assert.ok(judgeByLists(list, operation, at))
    for (let step = 0; step < 8; step++) {
      const before = at
      at += random.pick([0, 1, 1, 1000, RECOVERY_WINDOW_MS - 1, RECOVERY_WINDOW_MS, RECOVERY_WINDOW_MS + 1])
      const next = randomNext(random, list)
      const expected = judgeByLists(list, next, at)
      let accepted = true
      try {
        seen.undone += acceptOperation(log, next, at).nullified.length
      } catch (error) {
        assert.ok(error instanceof PlcError, String(error))
        accepted = false
        at = before
      }
      assert.equal(accepted, expected)
      seen[accepted ? 'accepted' : 'refused']++
    }
    assert.deepEqual(
      log.entries.map(({ cid, nullified }) => [cid.toString(), nullified]),
      list.map(({ cid, nullified }) => [cid, nullified]),
    )
  }
  assert.ok(seen.accepted > 60 && seen.refused > 60 && seen.undone > 15, JSON.stringify(seen))
})
