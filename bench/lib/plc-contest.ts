import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missingPostgres } from '@imago/sim/postgres-server'
import { createRandom } from '@imago/sim/random'
import { createKeys, genesisOf } from '../inputs/plc-operations.ts'
import { fsyncNote, temporaryFolder } from './disk.ts'
import { median, summarize } from './figure.ts'
import type { GroupContext } from './group.ts'
import { machineSpeed } from './pds-contest.ts'
import { runOnCore } from './pds-load.ts'
import { LOAD_CORE, SERVER_CORE } from './pds-servers.ts'
import { installPeers, PeerUnavailableError } from './peers.ts'
import { type Directory, startOurDirectory, startReferenceDirectory } from './plc-servers.ts'
import { type Bar, formatFigure, type Row } from './row.ts'
import {
  freePort,
  missingForMemory,
  missingForPinning,
  residentBytes,
  startServer,
} from './server-process.ts'

const MB = 1e6
const SEED = 3
const script = (name: string) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))

const ACCEPT = 'accept operations, 64 in flight'
const RESOLVE = 'resolve /:did of 2,000 DIDs, 16 in flight'
const STREAM = 'stream to 100 listeners, bursts of 10,000'
const DISK = 'a directory of 1,000,000 DIDs: disk for each'
const MEMORY = 'a directory of 1,000,000 DIDs: memory'
const START = 'a directory of 1,000,000 DIDs: start'

const RESOLVED = 2000
const LISTENERS = 100

/** What needs servers: loads on a core of their own, the two directories in turns. */
export async function* plcRows(context: GroupContext): AsyncGenerator<Row> {
  const missing = missingForPinning() ?? missingForMemory()
  if (missing !== undefined) {
    yield* [ACCEPT, RESOLVE, STREAM, DISK, MEMORY, START].map((name) => ({ name, missing }))
    return
  }
  using folder = temporaryFolder()
  {
    // Fills the cache of compiled code, for all that follow.
    await using _first = await startOurDirectory(join(folder.path, 'first'))
  }
  yield* contest(folder.path, context)
  yield* stream(folder.path, context)
  yield* large(folder.path, context)
}

/** Beside the reference where it can run; alone where it cannot, and then the rows are missing. */
async function* contest(folder: string, context: GroupContext): AsyncGenerator<Row> {
  const { progress } = context
  const peers = missingPostgres() ?? (await installPeers('directory', progress).catch(unavailable))
  if (typeof peers === 'string') {
    yield* [ACCEPT, RESOLVE].map((name) => ({ name, missing: peers }))
    return
  }
  await using ours = await startOurDirectory(join(folder, 'ours'))
  await using peer = await startReferenceDirectory(join(folder, 'reference'), peers)
  const shared = { ...context, folder, ours, peer, peerName: peers.title('@did-plc/server') }
  const file = yield* accept(shared)
  yield* resolve(shared, file)
}

interface Contest extends GroupContext {
  readonly folder: string
  readonly ours: Directory
  readonly peer: Directory
  readonly peerName: string
}

interface Load {
  readonly answered: number
  /** Answered with 500, and asked again. */
  readonly failed: number
  readonly perSec: number
  readonly p99: number
}

interface Run extends Load {
  /** Of the server, for one request. */
  readonly cpuMs: number
}

async function load(
  server: Directory,
  what: 'submit' | 'resolve',
  options: {
    readonly file: string
    readonly concurrency: number
    readonly seconds: number
    readonly 'send-again'?: string
  },
): Promise<Run> {
  const before = server.processorSeconds()
  const result = await runScript<Load>('plc-load', LOAD_CORE, what, { url: server.url, ...options })
  const cpuMs = ((server.processorSeconds() - before) * 1000) / result.answered
  return { ...result, cpuMs }
}

/** New accounts of a host that signs with K-256, as most do. @returns a file whose first operations both have taken. */
async function* accept(contest: Contest): AsyncGenerator<Row, string> {
  const { folder, peerName, quick, progress } = contest
  const runs = quick ? 1 : 3
  const seconds = quick ? 2 : 5
  const files: string[] = []
  for (let run = 0; run <= runs; run++) {
    progress(`signing operations, ${run} of ${runs}`)
    const file = join(folder, `operations-${run}`)
    // The first are for warming up, and for those who resolve.
    writeOperations(file, SEED + run, run === 0 ? RESOLVED : seconds * (quick ? 4000 : 6000))
    files.push(file)
  }
  const first = { file: files[0]!, concurrency: 64, seconds: 600 }
  progress('warming up')
  // Its transactions get in each other's way, and it leaves it to its clients to come again.
  const manners = { ours: {}, peer: { 'send-again': 'true' } }
  for (const who of ['ours', 'peer'] as const) {
    const { answered } = await load(contest[who], 'submit', { ...first, ...manners[who] })
    if (answered !== RESOLVED) throw new Error(`${answered} of ${RESOLVED} operations were taken`)
  }
  const taken = { ours: [] as Run[], peer: [] as Run[] }
  for (const [run, file] of files.slice(1).entries())
    for (const who of ['ours', 'peer'] as const) {
      progress(`${ACCEPT}: ${who}, ${run + 1} of ${runs}`)
      taken[who].push(await load(contest[who], 'submit', { file, concurrency: 64, seconds, ...manners[who] }))
    }
  const rate = (who: 'ours' | 'peer') => summarize(taken[who].map(({ perSec }) => perSec))
  const refused = median(taken.peer.map(({ answered, failed }) => failed / (answered + failed)))
  yield {
    name: ACCEPT,
    unit: '/s',
    ours: rate('ours').median,
    spread: rate('ours').spread,
    peers: { [peerName]: rate('peer').median },
    bar: { timesPeer: 10, limit: 3000 },
    ...machineSpeed(),
    note: `each verified, durable and in the signed transparency log; ${cpuNote(taken)}; 99 of 100 within ${formatFigure(median(taken.ours.map(({ p99 }) => p99)), 'ms')}; ${fsyncNote(folder)}; the peer answers ${Math.round(refused * 100)} of 100 with 500, and is asked again`,
  }
  return files[0]!
}

async function* resolve(contest: Contest, file: string): AsyncGenerator<Row> {
  const { peerName, quick, progress } = contest
  const asked = { ours: [] as Run[], peer: [] as Run[] }
  const runs = quick ? 1 : 3
  // The first is for warming up.
  for (let run = 0; run <= runs; run++)
    for (const who of ['ours', 'peer'] as const) {
      progress(`${RESOLVE}: ${who}, ${run} of ${runs}`)
      const result = await load(contest[who], 'resolve', { file, concurrency: 16, seconds: quick ? 2 : 4 })
      if (run > 0) asked[who].push(result)
    }
  const rate = (who: 'ours' | 'peer') => summarize(asked[who].map(({ cpuMs }) => 1000 / cpuMs))
  yield {
    name: RESOLVE,
    unit: '/s',
    ours: rate('ours').median,
    spread: rate('ours').spread,
    peers: { [peerName]: rate('peer').median },
    bar: { timesPeer: 8, limit: 15_000 } satisfies Bar,
    ...machineSpeed(),
    note: `of its core's time; on the clock ${formatFigure(median(asked.ours.map(({ perSec }) => perSec)), '/s')}, the peer ${formatFigure(median(asked.peer.map(({ perSec }) => perSec)), '/s')}`,
  }
}

function cpuNote({ ours, peer }: Record<'ours' | 'peer', readonly Run[]>): string {
  const [mine, theirs] = [ours, peer].map((runs) =>
    formatFigure(median(runs.map(({ cpuMs }) => cpuMs)), 'ms'),
  )
  return `processor time of one ${mine}, the peer's ${theirs}`
}

function writeOperations(file: string, seed: number, count: number): void {
  const random = createRandom(seed)
  const keys = createKeys(random)
  const lines = Array.from({ length: count }, () => {
    const { did, operation } = genesisOf(random, random.pick(keys.k256), keys)
    return `${did} ${JSON.stringify(operation)}\n`
  })
  writeFileSync(file, lines.join(''))
}

interface Burst {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly committedMs: number
}

/** Each burst is one transaction, so that all of it is there at once. A listener that is lost fails the group. */
async function* stream(folder: string, { quick, progress }: GroupContext): AsyncGenerator<Row> {
  const lines = quick ? 2000 : 10_000
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const out = join(folder, 'bursts')
  const options = { port, listeners: LISTENERS, lines, out }
  await using _server = await startServer({
    command: [process.execPath, script('plc-burst'), ...argumentsOf(options)],
    core: SERVER_CORE,
    ready: { line: 'ready' },
  })
  const runs = quick ? 1 : 5
  let bytes = 0
  for (let run = 0; run <= runs; run++) {
    progress(`${STREAM}: ${run} of ${runs}`)
    const listened = { url, listeners: LISTENERS, lines }
    bytes = (await runScript<{ bytes: number }>('plc-load', LOAD_CORE, 'listen', listened)).bytes
  }
  const bursts = readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Burst)
    .slice(1)
  const total = lines * LISTENERS
  const rate = summarize(bursts.map(({ cpuSeconds }) => total / cpuSeconds))
  const onTheClock = median(bursts.map(({ seconds }) => total / seconds))
  yield {
    name: STREAM,
    unit: '/s',
    ours: rate.median,
    spread: rate.spread,
    bar: { limit: 200_000 },
    ...machineSpeed(),
    note: `lines in sum, of the server's core, taking the burst included (${formatFigure(median(bursts.map(({ committedMs }) => committedMs)), 'ms')} of the clock); on the clock ${formatFigure(onTheClock, '/s')}; no listener lost; ${formatFigure(bytes / MB, 'MB')} each time`,
  }
}

async function* large(folder: string, { quick, progress }: GroupContext): AsyncGenerator<Row> {
  const dids = quick ? 50_000 : 1_000_000
  const data = join(folder, 'large')
  mkdirSync(data)
  progress(`writing a directory of ${dids} DIDs`)
  const { operations } = await runScript<{ operations: number }>('plc-fill', SERVER_CORE, undefined, {
    folder: data,
    dids,
  })
  const bytes = readdirSync(data).reduce((sum, file) => sum + statSync(join(data, file)).size, 0)
  const short = quick ? ` (only ${dids} of them)` : ''
  yield {
    name: DISK,
    unit: 'B',
    ours: bytes / dids,
    bar: { limit: 900 },
    note: `${operations} operations, ${formatFigure(bytes / operations, 'B')} for each, with the hashes of the transparency log${short}`,
  }
  await using server = await startOurDirectory(data)
  yield {
    name: START,
    unit: 's',
    ours: server.readyAfterMs / 1000,
    bar: { limit: 2 },
    ...machineSpeed(),
    note: 'until it answers',
  }
  progress('asking a large directory')
  const file = join(folder, 'of-large')
  await writeDids(server.url, file, operations)
  const asked = await load(server, 'resolve', { file, concurrency: 16, seconds: quick ? 2 : 5 })
  yield {
    name: MEMORY,
    unit: 'MB',
    ours: residentBytes(server.pid) / MB,
    bar: { limit: 200 },
    note: `after ${asked.answered} requests for ${SAMPLE_PAGES * 1000} of its DIDs; ${formatFigure(1000 / asked.cpuMs, '/s')} of its core's time`,
  }
}

const SAMPLE_PAGES = 30

/** DIDs from all over a directory, as its export names them. */
async function writeDids(url: string, file: string, operations: number): Promise<void> {
  const lines: string[] = []
  for (let page = 0; page < SAMPLE_PAGES; page++) {
    const after = Math.floor((operations / SAMPLE_PAGES) * page)
    const text = await (await fetch(`${url}/export?after=${after}`)).text()
    for (const line of text.split('\n')) lines.push(`${(JSON.parse(line) as { did: string }).did} {}\n`)
  }
  writeFileSync(file, lines.join(''))
}

async function runScript<T>(
  name: string,
  core: number,
  what: string | undefined,
  options: Readonly<Record<string, string | number>>,
): Promise<T> {
  const args = [...(what === undefined ? [] : [what]), ...argumentsOf(options)]
  return JSON.parse(await runOnCore(core, script(name), args)) as T
}

const argumentsOf = (options: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])

const unavailable = (error: unknown): string => {
  if (error instanceof PeerUnavailableError) return error.message
  throw error
}
