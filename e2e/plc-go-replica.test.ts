// The replica of go-didplc judges our export and our stream: it validates every operation by the Go implementation of
// the method, and stops at what it does not understand. It comes from no package registry, so the test runs where
// `plc-replica` is on the PATH, and skips elsewhere.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { generateKeypair, type Keypair } from '@imago/crypto'
import {
  createGenesis,
  type DidPlc,
  judgeOperation,
  type Operation,
  operationCid,
  tombstoneOperation,
  updateOperation,
} from '@imago/identity/plc'
import { openSqlitePlcStore } from '../services/plc/src/lib/store/sqlite-plc-store.ts'
import { type ServiceProcess, startService } from './plc-process.ts'
import { until } from './until.ts'

const skip =
  spawnSync('plc-replica', ['--help']).status === 0 ? false : 'plc-replica of go-didplc is not on the PATH'

const DAY_MS = 86_400_000
/** Beyond what a stream begins with: these are read by pages. */
const OLD_DIDS = 700
const RECENT_DIDS = 200
const LIVE_DIDS = 200
const IN_FLIGHT = 16
const COMPARED_AT_ONCE = 16

const [user, stolen, p256] = [generateKeypair('k256'), generateKeypair('k256'), generateKeypair('p256')]

interface Step {
  readonly did: DidPlc
  readonly operation: Operation
}

/** What may happen to an account, in turns: nothing, new handles, theft and rescue, an end, an end that was undone. */
function lifeOf(i: number): readonly Step[] {
  const host: Keypair = i % 2 === 0 ? stolen : p256
  const { did, operation: genesis } = createGenesis(
    {
      rotationKeys: [user.didKey, host.didKey],
      verificationMethods: { atproto: host.didKey, ...(i % 7 === 0 && { '9': user.didKey, b: user.didKey }) },
      alsoKnownAs: [`at://n${i}.test`, ...(i % 9 === 0 ? ['https://exämple.test/\u{1f600}'] : [])],
      services: {
        atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://pds.test' },
        ...(i % 5 === 0 && { other: { type: 'Other', endpoint: 'not a url' } }),
      },
    },
    host,
  )
  const renamed = updateOperation(genesis, { alsoKnownAs: [`at://renamed${i}.test`] }, host)
  const theft = updateOperation(genesis, { rotationKeys: [host.didKey], alsoKnownAs: [] }, host)
  const rescue = updateOperation(genesis, { alsoKnownAs: [`at://rescued${i}.test`] }, user)
  const end = tombstoneOperation(genesis, host)
  const lives: readonly (readonly Operation[])[] = [
    [],
    [renamed, updateOperation(renamed, { services: {} }, user)],
    [theft, updateOperation(theft, { alsoKnownAs: ['at://thief.test'] }, host), rescue],
    [end],
    [end, updateOperation(genesis, { alsoKnownAs: [`at://back${i}.test`] }, user)],
    [renamed, tombstoneOperation(renamed, user)],
  ]
  return [genesis, ...lives[i % lives.length]!].map((operation) => ({ did, operation }))
}

/** A history that was taken twenty days ago. */
async function writeOldHistory(databaseFile: string, lives: readonly (readonly Step[])[]): Promise<void> {
  await using store = openSqlitePlcStore({ databaseFile, now: Date.now })
  const since = Date.now() - 20 * DAY_MS
  const batch = lives.flat().map((step, i) => ({ ...step, seq: i + 1, createdAt: since + 1000 * i }))
  const outcomes = await store.replay(batch, (log, { operation, createdAt }) =>
    judgeOperation(log, operation, createdAt),
  )
  assert.ok(outcomes.every(({ kind }) => kind === 'accepted'))
}

async function submit(url: string, lives: readonly (readonly Step[])[]): Promise<void> {
  const left = lives.values()
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (const life of left)
        for (const { did, operation } of life) {
          const response = await fetch(`${url}/${did}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(operation),
          })
          assert.equal(response.status, 200, await response.text())
        }
    }),
  )
}

interface GoReplica extends AsyncDisposable {
  readonly url: string
  readonly lines: readonly string[]
  readonly process: ChildProcess
}

async function startGoReplica(upstream: string, folder: string): Promise<GoReplica> {
  const [port, metricsPort] = [await freePort(), await freePort()]
  const child = spawn(
    'plc-replica',
    [
      ...['--db-url', `sqlite://${join(folder, 'go.db')}?mode=rwc&cache=shared&_journal_mode=WAL`],
      ...['--bind', `127.0.0.1:${port}`, '--metrics-addr', `127.0.0.1:${metricsPort}`],
      ...['--upstream-directory-url', upstream, '--num-workers', '2'],
    ],
    { cwd: folder, env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', (line) => lines.push(line))
  return {
    url: `http://127.0.0.1:${port}`,
    lines,
    process: child,
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** It commits in batches, in no order: the last one is there when every DID tells its last operation. */
async function assertFollowed(
  ours: ServiceProcess,
  replica: GoReplica,
  lives: readonly (readonly Step[])[],
): Promise<void> {
  const left = lives.values()
  await Promise.all(
    Array.from({ length: COMPARED_AT_ONCE }, async () => {
      for (const life of left) {
        const { did, operation } = life.at(-1)!
        const cid = operationCid(operation).toString()
        const theirs = await until(`${cid} of ${did}\n${replica.lines.slice(-5).join('\n')}`, async () => {
          const response = await fetch(`${replica.url}/${did}/log/audit`).catch(() => undefined)
          const log = response?.ok ? ((await response.json()) as { cid: string }[]) : []
          return log.some((entry) => entry.cid === cid) ? log : undefined
        })
        assert.deepEqual(theirs, (await read(ours.url, `/${did}/log/audit`)).json)
        for (const path of [`/${did}`, `/${did}/data`, `/${did}/log`, `/${did}/log/last`]) {
          const [here, there] = [await read(ours.url, path), await read(replica.url, path)]
          assert.equal(there.status, here.status, path)
          assert.deepEqual(
            path === `/${did}` ? comparable(there.json) : there.json,
            comparable(here.json),
            path,
          )
        }
      }
    }),
  )
}

async function read(url: string, path: string): Promise<{ status: number; json: unknown }> {
  const response = await fetch(url + path)
  return { status: response.status, json: await response.json() }
}

interface Document {
  readonly id?: string
  readonly '@context'?: unknown
  readonly verificationMethod?: readonly { readonly id: string }[]
  readonly service?: readonly { readonly id: string }[]
}

/** Two ways to write one document: it has no `@context`, absolute ids of services, and methods in any order. */
function comparable(json: unknown): unknown {
  const { '@context': _, ...document } = json as Document
  if (document.id === undefined) return json
  const whole = (one: { readonly id: string }) => ({
    ...one,
    id: one.id.startsWith('#') ? `${document.id}${one.id}` : one.id,
  })
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
  return {
    ...document,
    verificationMethod: document.verificationMethod?.map(whole).toSorted(byId),
    service: document.service?.map(whole).toSorted(byId),
  }
}

test('[PLC-26] [PLC-27] the replica of go-didplc follows our export and our stream', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-go-replica-'))
  try {
    const lives = Array.from({ length: OLD_DIDS + RECENT_DIDS + LIVE_DIDS }, (_, i) => lifeOf(i))
    const old = lives.slice(0, OLD_DIDS)
    const recent = lives.slice(OLD_DIDS, -LIVE_DIDS)
    const live = lives.slice(-LIVE_DIDS)
    const databaseFile = join(folder, 'plc.sqlite')
    await writeOldHistory(databaseFile, old)
    await using ours = await startService('plc', {
      PLC_DATABASE_FILE: databaseFile,
      PLC_LOG_ORIGIN: 'plc.test/log',
      PLC_WRITE_LIMITS: 'false',
      PLC_ADDRESS_LIMIT: '1000000',
    })
    await submit(ours.url, recent)
    await using replica = await startGoReplica(ours.url, folder)
    await assertFollowed(ours, replica, [...old, ...recent])
    await until('its stream', () =>
      replica.lines.some((line) => line.includes('caught up, switching to stream')) ? true : undefined,
    )
    await submit(ours.url, live)
    await assertFollowed(ours, replica, live)

    assert.equal(replica.process.exitCode, null)
    const told = (pattern: RegExp) => replica.lines.filter((line) => pattern.test(line))
    assert.equal(told(/cursor outdated for stream, falling back to paginated/).length, 1)
    assert.deepEqual(told(/level=(?:WARN|ERROR)/), [])
    const { lastSeq } = (await read(ours.url, '/_health')).json as { lastSeq: number }
    assert.equal(lastSeq, lives.flat().length)
    t.diagnostic(`${lastSeq} operations of ${lives.length} DIDs`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
