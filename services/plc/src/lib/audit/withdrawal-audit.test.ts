import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import {
  type DidPlc,
  judgeOperation,
  operationCid,
  PlcError,
  type PlcOperation,
  updateOperation,
} from '@imago/identity/plc'
import type { Plc } from '../create-plc.ts'
import { auditEntry, sequencedEntry } from '../http/operation-json.ts'
import { openSqlitePlcStore } from '../store/sqlite-plc-store.ts'
import {
  alarmOf,
  createAuditor,
  forgedUpdate,
  genesisOf,
  growTree,
  host,
  judged,
  openDirectory,
  type Tamper,
} from './audit.fixture.ts'
import { ALARM_EXIT_CODES, AuditAlarm } from './audit-alarm.ts'

const takeLaxly = (plc: Plc, did: DidPlc, operation: PlcOperation) =>
  plc.store.commit(did, ({ createdAt }) => ({
    kind: 'accept',
    verdict: {
      entry: { operation, cid: operationCid(operation), createdAt, signer: 0, nullified: false },
      nullified: [],
    },
  }))

/** A DID with an operation that nobody signed, and one that rests on it. */
async function robbed(plc: Plc) {
  const { did, operation: genesis } = genesisOf('victim')
  const theft = forgedUpdate(genesis, 'x')
  for (const one of [genesis, theft, updateOperation(theft, { alsoKnownAs: ['y'] }, host)])
    await takeLaxly(plc, did, one)
  return { did, genesis, theft, cid: operationCid(theft).toString() }
}

test('[PLC-33] audit: an invalid operation is an alarm at every audit, until a notice withdraws it', async () => {
  await using plc = await openDirectory()
  await using watcher = createAuditor()
  const { did, cid } = await robbed(plc)
  for (let i = 0; i < 2; i++) {
    const alarm = await alarmOf('Entry', watcher.run(plc))
    assert.match(alarm.message, /entry 1 may not stand in the log: Invalid signature.*no notice withdraws it/)
  }
  await plc.store.withdraw({ did, cid, reason: 'nobody signed it' })
  const other = genesisOf('other')
  await takeLaxly(plc, other.did, other.operation)
  const report = await watcher.run(plc)
  assert.deepEqual([report.size, report.sampledDids.includes(did)], [5, true])
  // And an auditor who comes after it all has no alarm to raise.
  await using late = createAuditor()
  assert.equal((await late.run(plc)).size, 5)
  assert.equal((await watcher.run(plc)).newEntries, 0)
})

test('[PLC-33] audit: WrongWithdrawal, a notice for what is valid, proven with the whole history of its DID', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-audit-'))
  try {
    const databaseFile = join(folder, 'plc.sqlite')
    const { did, operation } = genesisOf('victim')
    const renamed = updateOperation(operation, { alsoKnownAs: ['b'] }, host)
    const place = (seq: number) => ({ did, seq, createdAt: 1000 + seq })
    {
      // A directory that judges as it likes.
      await using store = openSqlitePlcStore({ databaseFile, now: Date.now, growTree })
      const outcomes = await store.replay(
        [
          { ...place(1), operation },
          { ...place(2), operation: renamed },
          { ...place(3), cid: operationCid(renamed).toString(), reason: 'we do not like it', told: [] },
        ],
        (log, one) => {
          if (one.operation === renamed) throw new PlcError('InvalidSignature', 'a lie')
          return judgeOperation(log, one.operation, one.createdAt)
        },
        'setAside',
      )
      assert.equal(outcomes[2]!.kind, 'withdrawn')
    }
    await using plc = await openDirectory(databaseFile)
    await using watcher = createAuditor()
    for (let i = 0; i < 2; i++) {
      const alarm = await alarmOf('WrongWithdrawal', watcher.run(plc))
      assert.match(alarm.message, /the notice at entry 2 withdraws what may stand.*is valid, and stays/)
      assert.equal(alarm.evidence.history!.length, 2)
      const verdict = judged(alarm)
      assert.equal(verdict.kind, 'witnessed')
      assert.match(verdict.message, /which may stand/)
      const [genesis] = alarm.evidence.history!
      const noNotice = new AuditAlarm('WrongWithdrawal', '', { ...alarm.evidence, proof: genesis! })
      assert.equal(judged(noNotice).kind, 'unfounded')
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  assert.equal(new Set(Object.values(ALARM_EXIT_CODES)).size, Object.keys(ALARM_EXIT_CODES).length)
})

test('[PLC-33] audit: StillServed, an API that goes on telling what was withdrawn', async () => {
  await using plc = await openDirectory()
  const { did, cid, theft } = await robbed(plc)
  const before = await plc.store.operations(did)
  const data = await (await plc.fetch(new Request(`http://plc/${did}/data`))).text()
  await plc.store.withdraw({ did, cid, reason: 'nobody signed it' })
  const stale: Record<string, Tamper> = {
    history: (path) => (path === `${did}/log/audit` ? `[${before.map(auditEntry).join(',')}]` : undefined),
    data: (path) => (path === `${did}/data` ? data : undefined),
    export: (path) => (path === 'export?after=1&count=1' ? sequencedEntry(before[1]!) : undefined),
  }
  for (const [name, tamper] of Object.entries(stale)) {
    await using watcher = createAuditor()
    const alarm = await alarmOf('StillServed', watcher.run(plc, tamper))
    assert.equal(judged(alarm).kind, 'witnessed', name)
    const unproven = new AuditAlarm('StillServed', '', { ...alarm.evidence, answers: {} })
    assert.equal(judged(unproven).kind, 'unfounded')
    assert.equal((await watcher.run(plc)).size, 4, 'an honest answer later is believed')
  }
  assert.equal(operationCid(theft).toString(), cid)
})

test('[PLC-33] audit: a withdrawal behind the checkpoint is proven by the log, and no disagreement', async () => {
  await using plc = await openDirectory()
  const { did, operation } = genesisOf('victim')
  await takeLaxly(plc, did, operation)
  await using watcher = createAuditor()
  const theft = forgedUpdate(operation, 'x')
  await takeLaxly(plc, did, theft)
  await plc.store.withdraw({ did, cid: operationCid(theft).toString(), reason: 'nobody signed it' })
  const lying: Tamper = (path) => (path === `${did}/log/audit` ? '[]' : undefined)
  await alarmOf('Disagreement', watcher.run(plc, lying))
  assert.equal((await watcher.run(plc)).size, 3)
})
