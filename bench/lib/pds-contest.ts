import { join } from 'node:path'
import { median, summarize, tail } from './figure.ts'
import type { GroupContext } from './group.ts'
import { measure } from './measure.ts'
import { type Load, type LoadOptions, loadPds } from './pds-load.ts'
import { LOAD_CORE, type Running } from './pds-servers.ts'
import { type Bar, type Bound, formatFigure, type Row, type Yardstick } from './row.ts'
import { openLibsecp256k1 } from './yardstick.ts'

export const ACCOUNTS = 100
/** Of each account before records are read: the same for both servers, and soon made. */
const RECORDS = 100

/** What all parts of the group need. */
export interface Shared extends GroupContext {
  readonly peerName: string
  readonly plcUrl: string
}

/** Both servers, beside each other. */
export interface Contest extends Shared, AsyncDisposable {
  readonly ours: Running
  readonly peer: Running
  readonly disk: string
}

/** What is asked of both servers, one after the other and several times over. */
export interface Work {
  readonly name: string
  readonly load: Pick<LoadOptions, 'mode' | 'concurrency'> & Partial<LoadOptions>
  readonly bar: Bar
  readonly durable?: boolean
  /** For 99 of 100 requests. */
  readonly p99?: { readonly name: string; readonly limitMs: number; readonly bound: Bound }
}

export type Who = 'ours' | 'peer'

/** The same load for ours and the peer, in turns. */
export async function* contend(
  contest: Contest,
  { name, load, bar, durable, p99 }: Work,
): AsyncGenerator<Row> {
  const { quick, progress, peerName, disk } = contest
  const runs = quick ? 1 : 3
  const loads = { ours: [] as Load[], peer: [] as Load[] }
  for (let run = 0; run < runs; run++)
    for (const who of ['ours', 'peer'] as const) {
      progress(`${name}: ${who === 'ours' ? 'ours' : 'the reference'}, ${run + 1} of ${runs}`)
      loads[who].push(await loadPds(loadOf(contest[who], load, quick)))
    }
  // A server that waits for nothing is as fast as its core, whatever else the machine does meanwhile.
  const rateOf = durable ? rateOnTheClock : rateOfCoreTime
  const ours = rateOf(loads.ours)
  const durability = durable ? [`${disk}, which only ours waits for`] : []
  yield {
    name,
    unit: '/s',
    ours: ours.median,
    spread: ours.spread,
    peers: { [peerName]: rateOf(loads.peer).median },
    bar,
    note: [durable ? cpuNote(loads) : clockNote(loads), ...durability].join('; '),
  }
  if (p99 === undefined) return
  const latency = (who: Who) => tail(loads[who].map(({ latencyMs }) => latencyMs.p99))
  const { best, middle, spread } = latency('ours')
  yield {
    name: p99.name,
    unit: 'ms',
    ours: best,
    spread,
    peers: { [peerName]: latency('peer').best },
    bar: { limit: p99.limitMs },
    bound: p99.bound,
    ...machineSpeed(),
    note: [
      `the best of ${runs} runs, the middle run ${formatFigure(middle, 'ms')}`,
      `the middle answer ${formatFigure(median(loads.ours.map(({ latencyMs }) => latencyMs.p50)), 'ms')}`,
      ...durability,
    ].join('; '),
  }
}

/** Where the load tool keeps the sessions of so many accounts. A repository that is to be large belongs to nobody else. */
export const sessionFileOf = ({ folder }: Running, accounts = ACCOUNTS): string =>
  join(folder, `sessions-${accounts}.json`)

/** Times were promised for another machine: what it would take here, taken beside each row. */
export function machineSpeed(): { yardstick?: Yardstick } {
  const library = openLibsecp256k1()
  if (library === undefined) return {}
  const { verify } = measure({ verify: library.verify }, { runs: 5, runMs: 50, warmUpMs: 50 })
  return { yardstick: library.yardstick(verify.median) }
}

function loadOf(server: Running, load: Work['load'], quick: boolean): LoadOptions {
  const accounts = load.accounts ?? ACCOUNTS
  return {
    url: server.url,
    accounts,
    seconds: quick ? 2 : 4,
    records: RECORDS,
    sessionFile: sessionFileOf(server, accounts),
    serverPid: server.pid,
    core: LOAD_CORE,
    timeoutMs: 60_000,
    ...load,
  }
}

const rateOnTheClock = (loads: readonly Load[]) => summarize(loads.map(({ opsPerSec }) => opsPerSec))
const rateOfCoreTime = (loads: readonly Load[]) => summarize(loads.map((load) => 1000 / cpuMs(load)))

/** Of one request. Pinning a server needs Linux, which tells this as well. */
function cpuMs({ serverCpuMsPerOp }: Load): number {
  if (serverCpuMsPerOp === undefined)
    throw new Error('the load tool did not tell the processor time of the server')
  return serverCpuMsPerOp
}

function cpuNote({ ours, peer }: Record<Who, readonly Load[]>): string {
  const [mine, theirs] = [ours, peer].map((loads) => formatFigure(median(loads.map(cpuMs)), 'ms'))
  return `processor time of one ${mine}, the peer's ${theirs}`
}

function clockNote({ ours, peer }: Record<Who, readonly Load[]>): string {
  const [mine, theirs] = [ours, peer].map((loads) => formatFigure(rateOnTheClock(loads).median, '/s'))
  return `of its core's time; on the clock ${mine}, the peer ${theirs}`
}
