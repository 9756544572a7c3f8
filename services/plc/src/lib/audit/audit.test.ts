import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { cidOfDrisl } from '@imago/data'
import { type Operation, operationBytes, tombstoneOperation, updateOperation } from '@imago/identity/plc'
import { formatNote, parseNote, parseTrustPolicy } from '@imago/tlog'
import { openSqlitePlcStore } from '../store/sqlite-plc-store.ts'
import { deriveLogKeys } from '../transparency/log-keys.ts'
import {
  alarmOf,
  createAuditor,
  forgedUpdate,
  genesisOf,
  growTree,
  host,
  judged,
  keys,
  openDirectory,
  origin,
  owner,
  type Tamper,
} from './audit.fixture.ts'
import type { AuditOptions } from './audit.ts'
import { AuditAlarm } from './audit-alarm.ts'
import { createDirectoryClient, DirectoryUnavailableError } from './directory-client.ts'

/** A directory that takes operations as anybody submits them. */
async function directory(databaseFile?: string) {
  const plc = await openDirectory(databaseFile)
  return {
    plc,
    async submit(did: string, operation: Operation) {
      const body = JSON.stringify(operation)
      const headers = { 'content-type': 'application/json' }
      const response = await plc.fetch(new Request(`http://plc/${did}`, { method: 'POST', body, headers }))
      assert.equal(response.status, 200, await response.text())
    },
    /** With the owner's key alone: a signature of the host's costs as much as eight of these. */
    async grow(count: number, prefix: string) {
      for (let i = 0; i < count; i++) {
        const { did, operation } = genesisOf(`${prefix}${i}`, [owner])
        await this.submit(did, operation)
      }
    },
    [Symbol.asyncDispose]: () => plc[Symbol.asyncDispose](),
  }
}

const flip = (bytes: Uint8Array, at = bytes.length - 1) => {
  const changed = bytes.slice()
  changed[at]! ^= 1
  return changed
}

test('an honest directory passes, audit after audit, with forks, tombstones and more than one tile', async () => {
  await using here = await directory()
  await using watcher = createAuditor()
  await here.grow(3, 'a')
  assert.equal((await watcher.run(here.plc)).newEntries, 3)
  const { did, operation } = genesisOf('forked')
  await here.submit(did, operation)
  await here.submit(did, updateOperation(operation, { alsoKnownAs: ['stolen'] }, host))
  await here.submit(did, updateOperation(operation, { alsoKnownAs: ['rescued'] }, owner))
  const ended = genesisOf('ended')
  await here.submit(ended.did, ended.operation)
  await here.submit(ended.did, tombstoneOperation(ended.operation, owner))
  await here.grow(300, 'b')
  const report = await watcher.run(here.plc)
  assert.equal(report.size, 308)
  assert.ok(report.sampledDids.length > 5)
  assert.equal((await watcher.run(here.plc)).newEntries, 0)
})

test('Rollback, Split and Fork: what another history with the same key cannot hide', async () => {
  await using shown = await directory()
  await shown.grow(5, 'a')
  for (const [count, code, verdict] of [
    [4, 'Rollback', 'witnessed'],
    [5, 'Split', 'proven'],
    [9, 'Fork', 'proven'],
  ] as const) {
    await using watcher = createAuditor()
    await watcher.run(shown.plc)
    const before = await watcher.state.read()
    await using other = await directory()
    await other.grow(count, 'b')
    const alarm = await alarmOf(code, watcher.run(other.plc))
    assert.equal(judged(alarm).kind, verdict)
    assert.equal(await watcher.state.read(), before, 'nothing is forgotten')
    const honest = { ...alarm.evidence, checkpoint: alarm.evidence.before! }
    assert.equal(judged(new AuditAlarm(code, '', honest)).kind, 'unfounded')
  }
})

test('Tiles: one bit in a tile of any level, or in a bundle of entries', async () => {
  await using here = await directory()
  await here.grow(258, 'a')
  for (const path of [
    'log/tile/0/000',
    'log/tile/0/001.p/2',
    'log/tile/1/000.p/1',
    'log/tile/entries/000',
    'log/tile/entries/001.p/2',
  ]) {
    await using watcher = createAuditor()
    let hits = 0
    const tamper: Tamper = (asked, body) => {
      if (asked !== path) return undefined
      hits++
      return flip(body, 20)
    }
    await alarmOf('Tiles', watcher.run(here.plc, tamper))
    assert.ok(hits > 0)
    assert.equal((await watcher.run(here.plc)).size, 258, 'an honest answer later is believed')
  }
})

test('Entry: an operation that the log should never have taken, proven to be in it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-audit-'))
  const databaseFile = join(folder, 'plc.sqlite')
  try {
    const { did, operation } = genesisOf('a')
    const forged = forgedUpdate(operation, 'b')
    {
      await using store = openSqlitePlcStore({ databaseFile, now: Date.now, growTree })
      for (const [i, one] of [operation, forged].entries())
        await store.commit(did, () => ({
          kind: 'accept',
          verdict: {
            entry: {
              operation: one,
              cid: cidOfDrisl(operationBytes(one)),
              createdAt: 1000 + i,
              signer: 0,
              nullified: false,
            },
            nullified: [],
          },
        }))
    }
    await using here = await directory(databaseFile)
    await using watcher = createAuditor()
    const alarm = await alarmOf('Entry', watcher.run(here.plc))
    assert.match(alarm.message, /entry 1 may not stand in the log: Invalid signature/)
    assert.equal(judged(alarm).kind, 'witnessed')
    assert.equal(judged(new AuditAlarm('Entry', '', { ...alarm.evidence, proof: '' })).kind, 'unfounded')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('Disagreement: an API that tells another history than the log', async () => {
  await using here = await directory()
  await here.grow(4, 'a')
  const { did, operation } = genesisOf('victim')
  await here.submit(did, operation)
  const change =
    (pattern: RegExp, from: string, to: string): Tamper =>
    (path, body) =>
      pattern.test(path)
        ? new TextEncoder().encode(new TextDecoder().decode(body).replace(from, to))
        : undefined
  for (const tamper of [
    change(/\/data$/, owner.didKey, host.didKey),
    change(/audit$/, '"nullified":false', '"nullified":true'),
    change(/audit$/, '"createdAt":"2', '"createdAt":"1'),
    change(/audit$/, '[{', '[{"cid":"x"},{'),
    change(/^export/, '"seq":', '"seq":1'),
  ]) {
    await using watcher = createAuditor({ samples: 40 })
    const alarm = await alarmOf('Disagreement', watcher.run(here.plc, tamper))
    assert.ok(Object.keys(alarm.evidence.answers!).length > 0)
    assert.equal(judged(alarm).kind, 'witnessed')
  }
})

test('Untrusted: no signature of the log, a forged one, or no fresh word of the witnesses', async () => {
  await using here = await directory()
  await here.grow(1, 'a')
  const stranger = deriveLogKeys(origin, new Uint8Array(32), Date.now)
  const witnessed = `log ${keys.ed25519.verifier.vkey}\nwitness m ${keys.mlDsa44.verifier.vkey}\nquorum m\n`
  const failing: Partial<AuditOptions>[] = [
    { policy: parseTrustPolicy(`log ${stranger.ed25519.verifier.vkey}\nquorum none\n`) },
    { policy: parseTrustPolicy(witnessed), maxAgeSeconds: 10, now: () => Date.now() + 3_600_000 },
    { policy: parseTrustPolicy(witnessed), now: () => Date.now() - 3_600_000 },
  ]
  for (const options of failing) {
    await using watcher = createAuditor(options)
    await alarmOf('Untrusted', watcher.run(here.plc))
  }
  await using watcher = createAuditor()
  const forge: Tamper = (path, body) => {
    if (path !== 'log/checkpoint') return undefined
    const note = parseNote(new TextDecoder().decode(body))
    return new TextEncoder().encode(formatNote({ ...note, text: note.text.replace('\n1\n', '\n2\n') }))
  }
  await alarmOf('Untrusted', watcher.run(here.plc, forge))
})

test('a directory that does not answer is no alarm', async () => {
  await using watcher = createAuditor()
  const client = createDirectoryClient(
    'http://plc',
    (async () => new Response('', { status: 503 })) as typeof fetch,
  )
  await using here = await directory()
  await using unheard = createAuditor({ client })
  await assert.rejects(unheard.run(here.plc), DirectoryUnavailableError)
  await assert.rejects(watcher.run(here.plc), DirectoryUnavailableError, 'an empty log has no checkpoint')
})
