import { fileURLToPath } from 'node:url'
import { median, summarize, tail } from './figure.ts'
import { type Contest, machineSpeed, sessionFileOf, type Who } from './pds-contest.ts'
import { runOnCore } from './pds-load.ts'
import { LOAD_CORE } from './pds-servers.ts'
import { formatFigure, type Row } from './row.ts'

export const LAG = 'event at 100 readers after the answer, 500 writes/s: 99 of 100'
export const REPLAY = 'replay of the stream, one reader'
const streamLoad = fileURLToPath(new URL('pds-stream-load.ts', import.meta.url))

interface Lag {
  readonly writesPerSec: number
  readonly p50: number
  readonly p99: number
}

interface Replay {
  readonly frames: number
  readonly framesPerSec: number
  readonly MBPerSec: number
}

/** Readers of the stream: many that follow it, and one that comes late. */
export async function* stream({ ours, peer, peerName, quick, progress }: Contest): AsyncGenerator<Row> {
  progress('readers of the stream')
  const runs = quick ? 1 : 3
  const lags: Lag[] = []
  for (let run = 0; run < 2 * runs; run++)
    lags.push(
      await runStream('lag', {
        url: ours.url,
        'session-file': sessionFileOf(ours),
        subscribers: 100,
        rate: 500,
        seconds: quick ? 2 : 4,
      }),
    )
  const p99 = tail(lags.map((one) => one.p99))
  yield {
    name: LAG,
    unit: 'ms',
    ours: p99.best,
    spread: p99.spread,
    bar: { limit: 5 },
    ...machineSpeed(),
    note: `at the last of the 100, the best of ${lags.length} runs, the middle run ${formatFigure(p99.middle, 'ms')}; the middle event ${formatFigure(median(lags.map((one) => Math.max(one.p50, 0.001))), 'ms')}; ${formatFigure(median(lags.map((one) => one.writesPerSec)), '/s')}`,
  }

  progress('replay of the stream')
  const replays = { ours: [] as Replay[], peer: [] as Replay[] }
  for (let run = 0; run < runs; run++)
    for (const who of ['ours', 'peer'] as const) {
      const { url } = who === 'ours' ? ours : peer
      replays[who].push(await runStream('replay', { url, seconds: quick ? 2 : 4 }))
    }
  const rate = (who: Who) => summarize(replays[who].map(({ framesPerSec }) => framesPerSec))
  yield {
    name: REPLAY,
    unit: '/s',
    ours: rate('ours').median,
    spread: rate('ours').spread,
    peers: { [peerName]: rate('peer').median },
    bar: { timesPeer: 2 },
    note: `${formatFigure(median(replays.ours.map(({ MBPerSec }) => MBPerSec)), 'MB/s')}`,
  }
}

async function runStream<T>(what: 'lag' | 'replay', options: Record<string, string | number>): Promise<T> {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  return JSON.parse(await runOnCore(LOAD_CORE, streamLoad, [what, ...args])) as T
}
