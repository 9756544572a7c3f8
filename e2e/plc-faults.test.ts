// kill -9 of real processes at each call that makes something durable: the directory while it takes operations and while
// it publishes its log, a replica while it replays, the witness while it cosigns. After each: everything that was
// answered is there, numbers go on without a gap, the log continues every checkpoint that was ever shown, and the
// witness has signed one history. Some points of each kind; all of them with PLC_FAULT_POINTS=all.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { createGenesis } from '@imago/identity/plc'
import { readOrCreateSecret } from '@imago/service'
import { parseCheckpoint, proveConsistency, tilePath, verifyConsistency, withTiles } from '@imago/tlog'
import { deriveLogKeys } from '../services/plc/src/lib/transparency/log-keys.ts'
import { type ServiceProcess, startService } from './plc-process.ts'
import { until } from './until.ts'

const missing =
  spawnSync('strace', ['-V']).status === 0
    ? undefined
    : 'strace is not on this machine: it kills at a system call'
const faultTest = (title: string, body: (t: TestContext) => Promise<void>) =>
  missing === undefined || process.env['REQUIRE_INFRA'] === '1'
    ? test(title, (t) => {
        assert.equal(missing, undefined)
        return body(t)
      })
    : test(title, { skip: missing }, () => {})

const POINTS = process.env['PLC_FAULT_POINTS'] === 'all' ? Number.POSITIVE_INFINITY : 4
const OPERATIONS = 6
const owner = generateKeypair('p256')

interface Acknowledged {
  readonly did: string
  readonly cid: string
  readonly seq: number
}

let ground: string
let witness: ServiceProcess

/** Directories of this file: each has a log of its own, because a witness holds a log to its history. */
const MAX_DIRECTORIES = 100
const originOf = (n: number) => `plc-${n}.test/log`
const seedFileOf = (origin: string) => join(ground, `${origin.replace('/', '-')}.seed`)

const witnessSettings = () => ({
  WITNESS_NAME: 'witness.test',
  WITNESS_LOGS_FILE: join(ground, 'logs'),
  WITNESS_DATABASE_FILE: join(ground, 'witness', 'witness.sqlite'),
})

interface Directory {
  readonly folder: string
  readonly settings: NodeJS.ProcessEnv
}

let directories = 0
function newDirectory(origin = originOf(++directories)): Directory {
  const folder = mkdtempSync(join(ground, 'directory-'))
  return {
    folder,
    settings: {
      PLC_DATABASE_FILE: join(folder, 'plc.sqlite'),
      PLC_LOG_ORIGIN: origin,
      PLC_LOG_SEED_FILE: seedFileOf(origin),
      PLC_LOG_POLICY_FILE: join(ground, 'policy'),
      PLC_ADDRESS_LIMIT: '1000000',
      // One thread for file operations: their order is the same in every run.
      UV_THREADPOOL_SIZE: '1',
    },
  }
}

/** The witness has another port each time. */
async function startWitness(): Promise<void> {
  witness = await startService('witness', witnessSettings())
  const { vkeys } = (await (await fetch(`${witness.url}/_health`)).json()) as { vkeys: string[] }
  const lines = [
    readFileSync(join(ground, 'logs'), 'utf8'),
    `witness w ${vkeys[0]} ${witness.url}`,
    'quorum w',
    '',
  ]
  writeFileSync(join(ground, 'policy'), lines.join('\n'))
}

before(async () => {
  if (missing !== undefined) return
  ground = mkdtempSync(join(tmpdir(), 'imago-plc-faults-'))
  const vkeys = Array.from({ length: MAX_DIRECTORIES }, (_, i) => {
    const origin = originOf(i + 1)
    return deriveLogKeys(origin, readOrCreateSecret(seedFileOf(origin)), Date.now).ed25519.verifier.vkey
  })
  writeFileSync(join(ground, 'logs'), vkeys.map((vkey) => `log ${vkey}`).join('\n'))
  await startWitness()
})
after(async () => {
  await witness?.kill('SIGTERM')
  if (ground !== undefined) rmSync(ground, { recursive: true })
})

/** One new DID. @returns `undefined` when the directory is gone. */
async function register(url: string): Promise<Acknowledged | undefined> {
  const { did, operation } = createGenesis(
    {
      rotationKeys: [owner.didKey],
      verificationMethods: {},
      alsoKnownAs: [crypto.randomUUID()],
      services: {},
    },
    owner,
  )
  let response: Response
  try {
    response = await fetch(`${url}/${did}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(operation),
    })
    assert.equal(response.status, 200, await response.text())
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    return undefined
  }
  return { did, cid: response.headers.get('plc-cid')!, seq: Number(response.headers.get('plc-seq')) }
}

async function checkpointOf(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/log/checkpoint`)
    return response.ok ? await response.text() : undefined
  } catch {
    return undefined
  }
}

const sizeOf = (note: string | undefined) => (note === undefined ? 0 : parseCheckpoint(note).checkpoint.size)

/** What the world has seen of one log. */
interface Seen {
  readonly acknowledged: Acknowledged[]
  readonly checkpoints: string[]
}

/** Registers, and looks at the log, until the directory is gone or `count` are there. @returns whether it is gone. */
async function write(
  plc: ServiceProcess,
  seen: Seen,
  count = OPERATIONS,
  waitForLog = false,
): Promise<boolean> {
  const isGone = () => plc.process.exitCode !== null || plc.process.signalCode !== null
  for (let i = 0; i < count; i++) {
    const one = await register(plc.url)
    if (one === undefined) break
    seen.acknowledged.push(one)
    if (waitForLog)
      await until('the checkpoint, or the end', async () =>
        isGone() || sizeOf(await checkpointOf(plc.url)) >= one.seq ? true : undefined,
      )
    const note = await checkpointOf(plc.url)
    if (note !== undefined) seen.checkpoints.push(note)
  }
  if (isGone()) return true
  // The connection is lost a moment before the process.
  return (await checkpointOf(plc.url)) === undefined && (await register(plc.url)) === undefined
}

interface Line {
  readonly did: string
  readonly cid: string
  readonly seq: number
  readonly createdAt: string
}

async function exported(url: string): Promise<Line[]> {
  const text = await (await fetch(`${url}/export?after=0&count=1000`)).text()
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line))
}

async function continues(url: string, older: readonly string[], newest: string): Promise<void> {
  const { checkpoint } = parseCheckpoint(newest)
  for (const note of new Set(older)) {
    const before = parseCheckpoint(note).checkpoint
    const proof = await withTiles(
      checkpoint.size,
      async (tile) => new Uint8Array(await (await fetch(`${url}/log/${tilePath(tile)}`)).arrayBuffer()),
      (source) => proveConsistency(source, before.size, checkpoint.size),
    )
    verifyConsistency(proof, before, checkpoint)
  }
}

/** Starts it again and holds it against what the world has seen. */
async function assertWhole({ settings }: Directory, { acknowledged, checkpoints }: Seen): Promise<void> {
  await using plc = await startService('plc', settings)
  const lines = await exported(plc.url)
  assert.deepEqual(
    lines.map(({ seq }) => seq),
    lines.map((_, i) => i + 1),
    'numbers without a gap',
  )
  for (const { did, cid, seq } of acknowledged)
    assert.deepEqual(
      { did, cid },
      { did: lines[seq - 1]?.did, cid: lines[seq - 1]?.cid },
      `operation ${seq} is there`,
    )
  const next = await register(plc.url)
  assert.equal(next?.seq, lines.length + 1)
  const newest = await until('a checkpoint of everything', async () => {
    const note = await checkpointOf(plc.url)
    return sizeOf(note) >= lines.length + 1 ? note : undefined
  })
  await continues(plc.url, checkpoints, newest)
}

/** By how many syncs one run may fall short of another: operations that come together share one. */
const FEWER_SYNCS = 6

/** Up to {@link POINTS} of the numbers from 1 to `total`, the first and the last among them. */
function pointsOf(total: number): number[] {
  const all = Array.from({ length: total }, (_, i) => i + 1)
  if (total <= POINTS) return all
  return [
    ...new Set(Array.from({ length: POINTS }, (_, i) => Math.round(1 + (i * (total - 1)) / (POINTS - 1)))),
  ]
}

const trace = (log: string, inject: readonly string[] = []) => [
  ...['strace', '-q', '-y', '-o', log, '-e', 'trace=fsync,fdatasync,rename'],
  ...inject.flatMap((rule) => ['-e', `inject=${rule}`]),
]
const killAt = (call: string, n: number) => [`${call}:signal=SIGKILL:when=${n}`]
/** Calls that made something durable, before it was told to stop. */
const callsIn = (log: string) =>
  readFileSync(log, 'utf8')
    .split('--- SIGTERM')[0]!
    .match(/^(?:fsync|fdatasync|rename)\(.*$/gm) ?? []
const assertFired = (log: string) => assert.match(readFileSync(log, 'utf8'), /killed by SIGKILL/)

/** The thread of a process that has this name. */
function threadOf(pid: number, name: string): number {
  const found = readdirSync(`/proc/${pid}/task`).find((tid) =>
    readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').startsWith(name),
  )
  assert.ok(found, `process ${pid} has a thread ${name}`)
  return Number(found)
}

/** Has strace watch one thread of a running process. */
async function attach(tid: number, log: string, inject: readonly string[]) {
  const [command, ...args] = [...trace(log, inject), '-p', String(tid)]
  const child = spawn(command!, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  await until('strace to watch', () =>
    /^TracerPid:\t[1-9]/m.test(readFileSync(`/proc/${tid}/status`, 'utf8')) ? true : undefined,
  )
  return child
}

faultTest('[PLC-29] kill -9 at the syncs of start and ingest', async (t) => {
  const log = join(ground, 'ingest.log')
  {
    await using plc = await startService('plc', newDirectory().settings, { wrapper: trace(log) })
    assert.equal(await write(plc, { acknowledged: [], checkpoints: [] }), false)
  }
  const points = pointsOf(callsIn(log).length - FEWER_SYNCS)
  let whileIngesting = 0
  for (const n of points) {
    const directory = newDirectory()
    const seen: Seen = { acknowledged: [], checkpoints: [] }
    try {
      const plc = await startService('plc', directory.settings, { wrapper: trace(log, killAt('fsync', n)) })
      // What comes after the last answer comes when it is told to stop.
      if (await write(plc, seen)) whileIngesting++
      await plc.kill('SIGTERM')
    } catch (error) {
      assert.match(String(error), /ended with (?:137|SIGKILL)/)
    }
    assertFired(log)
    await assertWhole(directory, seen)
  }
  assert.ok(whileIngesting > 0, 'a kill while it took operations')
  t.diagnostic(`${points.length} points of ${points.at(-1)} hit, ${whileIngesting} of them between answers`)
})

faultTest('[PLC-38] kill -9 at each step of the publication of a checkpoint', async (t) => {
  const hit = new Set<string>()
  for (const [call, n] of [
    ['fsync', 1],
    ['rename', 1],
    ['fsync', 2],
    ...(POINTS > 4
      ? ([
          ['fsync', 3],
          ['rename', 2],
          ['fsync', 4],
        ] as const)
      : []),
  ] as const) {
    const directory = newDirectory()
    const log = join(ground, 'publish.log')
    const seen: Seen = { acknowledged: [], checkpoints: [] }
    const plc = await startService('plc', directory.settings)
    await write(plc, seen, 2, true)
    const strace = await attach(threadOf(plc.pid, 'libuv-worker'), log, killAt(call, n))
    const ended = once(strace, 'exit')
    assert.equal(await write(plc, seen, OPERATIONS, true), true)
    await ended
    assertFired(log)
    hit.add(
      callsIn(log)
        .at(-1)!
        .replace(/\(\d+</, '(')
        .replaceAll(`${directory.folder}/`, '')
        .replace(directory.folder, 'folder')
        .replace(/\).*/, ')'),
    )
    await assertWhole(directory, seen)
  }
  assert.equal(hit.size, 3, [...hit].join(', '))
  t.diagnostic(`points: ${[...hit].join(', ')}`)
})

faultTest('[PLC-30] kill -9 at the syncs of a replica that replays', async (t) => {
  const log = join(ground, 'replica.log')
  await using upstream = await startService('plc', newDirectory().settings)
  await write(upstream, { acknowledged: [], checkpoints: [] }, 30)
  const newReplica = () => {
    const { settings } = newDirectory('replica.test/log')
    return { ...settings, PLC_LOG_POLICY_FILE: undefined, PLC_UPSTREAM: upstream.url }
  }
  const isGone = ({ process }: ServiceProcess) => process.exitCode !== null || process.signalCode !== null
  const caughtUp = async (plc: ServiceProcess) => {
    const { length } = await exported(upstream.url)
    await until('the replica, or its end', async () => {
      if (isGone(plc)) return true
      const told = await exported(plc.url).catch(() => [])
      return told.length === length ? true : undefined
    })
  }
  /** Reads the pages, then hears of some operations one by one. */
  const follow = async (plc: ServiceProcess) => {
    await caughtUp(plc)
    for (let i = 0; i < OPERATIONS && !isGone(plc); i++) {
      await register(upstream.url)
      await caughtUp(plc)
    }
  }
  {
    await using plc = await startService('plc', newReplica(), { wrapper: trace(log) })
    await follow(plc)
  }
  const points = pointsOf(callsIn(log).length - FEWER_SYNCS)
  let whileReplaying = 0
  for (const n of points) {
    const settings = newReplica()
    try {
      const plc = await startService('plc', settings, { wrapper: trace(log, killAt('fsync', n)) })
      await follow(plc)
      if (isGone(plc)) whileReplaying++
      await plc.kill('SIGTERM')
    } catch (error) {
      assert.match(String(error), /ended with (?:137|SIGKILL)/)
    }
    assertFired(log)
    await using plc = await startService('plc', settings)
    await caughtUp(plc)
    const lines = await exported(plc.url)
    assert.deepEqual(lines, await exported(upstream.url))
    const newest = await until('its log', async () => {
      const note = await checkpointOf(plc.url)
      return sizeOf(note) === lines.length ? note : undefined
    })
    await continues(plc.url, [newest], newest)
  }
  assert.ok(whileReplaying > 0, 'a kill while it replayed')
  t.diagnostic(`${points.length} points of ${points.at(-1)} hit, ${whileReplaying} of them while it replayed`)
})

faultTest('kill -9 at the syncs of the witness: it never signs two histories', async (t) => {
  const log = join(ground, 'witness.log')
  const directory = newDirectory()
  const seen: Seen = { acknowledged: [], checkpoints: [] }
  const points = Math.min(POINTS, 12)
  for (let n = 0; n < points; n++) {
    // The witness dies under the directory, and comes back elsewhere.
    await using plc = await startService('plc', directory.settings)
    const strace = await attach(witness.pid, log, killAt('fsync', [1, 4, 2, 6][n % 4]!))
    const ended = once(strace, 'exit')
    const isGone = () => witness.process.exitCode !== null || witness.process.signalCode !== null
    for (let i = 0; i < 20 && !isGone(); i++) {
      const one = await register(plc.url)
      seen.acknowledged.push(one!)
      const note = await until('a checkpoint, or the end of the witness', async () => {
        const shown = await checkpointOf(plc.url)
        return isGone() || sizeOf(shown) >= one!.seq ? { shown } : undefined
      })
      if (note.shown !== undefined) seen.checkpoints.push(note.shown)
    }
    await ended
    assertFired(log)
    await startWitness()
  }
  assert.ok(seen.checkpoints.length > 0, 'some were cosigned')
  await assertWhole(directory, seen)
  // Whoever has the key of the log can sign another history, and finds nobody who signs it too.
  await using twin = await startService('plc', newDirectory(directory.settings['PLC_LOG_ORIGIN']).settings)
  await write(twin, { acknowledged: [], checkpoints: [] }, seen.acknowledged.length + 3)
  await until('a refusal', () =>
    twin.lines.some(({ msg }) => msg === 'a checkpoint was not cosigned') ? true : undefined,
  )
  assert.equal(await checkpointOf(twin.url), undefined)
  t.diagnostic(
    `${points} points hit, ${new Set(seen.checkpoints).size} checkpoints cosigned, all of one history`,
  )
})
