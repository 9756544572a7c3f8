import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { generateKeypair, parseDidKey } from '@imago/crypto'
import { readCar } from '@imago/data'
import { openSqliteLog } from '@imago/log/sqlite'
import { parseCommit, verifyCommitSignature, writeCommit } from '@imago/repo'
import { createTidClock, type Did } from '@imago/syntax'
import { decodeFrame } from '@imago/xrpc/frames'
import { openDatabase } from '../database/database.ts'
import { createSqliteRepoStore } from '../repos/repo-store-sqlite.ts'
import { PENDING_REANNOUNCEMENT, reannounceRestored } from './reannounce.ts'

const REPOS = 450
const RESTORED_AT = 1_800_000_000_000

/** A database as a restore leaves it: more repositories than fit into one batch, and one that came later. */
function restored(folder: string) {
  const database = openDatabase(join(folder, 'pds.sqlite'))
  let nowMs = RESTORED_AT
  const now = () => nowMs
  const clock = createTidClock({ nowMicros: () => nowMs * 1000, clockId: 1 })
  const log = openSqliteLog(database.sqlite, { table: 'event', now, startAfter: 5000 })
  const repos = createSqliteRepoStore(database, log)
  const keypair = generateKeypair('k256')
  const old = createTidClock({ nowMicros: () => (RESTORED_AT - 3_600_000) * 1000, clockId: 1 })
  database.transaction(() => {
    for (let n = 0; n <= REPOS; n++) {
      const did: Did = `did:plc:${String(n).padStart(24, 'a')}`
      const { signed, newBlocks } = writeCommit({
        did,
        source: { get: () => undefined },
        head: null,
        writes: [],
        rev: old.next(),
        keypair,
      })
      const { cid, bytes, commit } = signed
      repos.insertInTransaction({
        did,
        signingKey: keypair.exportSecret(),
        head: { cid, rev: commit.rev, data: commit.data, commitBytes: bytes },
        nodes: [...newBlocks].filter((block) => !block.cid.equals(cid)),
        status: n % 10 === 0 ? 'deactivated' : undefined,
      })
    }
    database.sqlite
      .prepare('INSERT INTO config (name, value) VALUES (?, ?)')
      .run(PENDING_REANNOUNCEMENT, JSON.stringify({ after: 0, last: REPOS, restoredAt: RESTORED_AT }))
  })
  return {
    database,
    log,
    keypair,
    ports: { database, log, clock, now },
    setNow: (ms: number) => {
      nowMs = ms
    },
  }
}

test('[trap 13] after a restore every repository is announced once with a revision of now, however often that breaks off', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-reannounce-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { database, log, keypair, ports, setNow } = restored(folder)
  using _ = database
  await using __ = log

  setNow(RESTORED_AT - 1)
  await assert.rejects(reannounceRestored(ports), /set the clock/)
  setNow(RESTORED_AT)
  let calls = 0
  const breaking = () => {
    if (++calls === 300) throw new Error('broken off')
    return RESTORED_AT
  }
  await assert.rejects(reannounceRestored({ ...ports, now: breaking }), /broken off/)
  const first = log.head - 5000
  assert.ok(first > 0 && first < REPOS * 3, `${first} events of the first batch`)
  const rest = await reannounceRestored(ports)
  assert.equal(rest, REPOS - 200)
  assert.equal(await reannounceRestored(ports), 0)

  const frames = (await log.read(5000, { entries: 10_000 })).map(({ payload }) => decodeFrame(payload))
  const told = { '#identity': new Set(), '#account': new Set(), '#sync': new Set() }
  for (const frame of frames) {
    assert.equal(frame.kind, 'message')
    if (frame.kind !== 'message') continue
    const { did, rev, blocks } = frame.body as { did: string; rev?: string; blocks?: Uint8Array }
    const dids = told[frame.type as keyof typeof told]
    assert.ok(!dids.has(did), `${frame.type} of ${did} comes once`)
    dids.add(did)
    if (blocks === undefined) continue
    const { roots, blocks: held } = readCar(blocks)
    const commit = parseCommit(held.get(roots[0]!)!)
    assert.equal(held.size, 1)
    assert.deepEqual([commit.did, commit.rev], [did, rev])
    assert.ok(verifyCommitSignature(commit, parseDidKey(keypair.didKey)))
  }
  assert.deepEqual(
    Object.values(told).map(({ size }) => size),
    [REPOS, REPOS, REPOS - REPOS / 10],
  )
  const moved = database.sqlite.prepare('SELECT count(*) AS n FROM repo WHERE rev > ?')
  const { next } = createTidClock({ nowMicros: () => RESTORED_AT * 1000 - 1, clockId: 0 })
  assert.equal(
    (moved.get(next()) as { n: number }).n,
    REPOS,
    'also those that are not active; not the later one',
  )
})
