import type { Logger } from '@imago/service'
import { XrpcError } from '@imago/xrpc'
import { subscribe } from '@imago/xrpc/subscribe'
import type { HostPosition } from '../ingest/host-position.ts'
import type { Intake } from '../ingest/intake.ts'
import type { HostStatus } from '../state/state-store.ts'
import { originOfHost } from './hostname.ts'

/** When to dial again. */
export interface DialSchedule {
  /** The first pause. Default 1 s. */
  readonly minDelayMs?: number | undefined
  /** The longest: a host that is gone is asked this often, for ever. Default 1 h. */
  readonly maxDelayMs?: number | undefined
  /** 0 ≤ r < 1. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
}

export interface HostConnectionOptions {
  readonly position: HostPosition
  readonly intake: Intake
  readonly open: (url: URL, protocols: string[]) => WebSocket
  readonly schedule: DialSchedule
  readonly onStatus: (status: HostStatus) => void
  /** The host's sequence has begun anew: forget how far it was read. Nothing of it is under way. */
  readonly onRestart: () => void
  readonly logger: Logger
}

/** One host being read, for as long as the process lives. Disposing of it stops the reading. */
export interface HostConnection extends Disposable {
  /** Dials now, if it waits to do so: the host has told that it is there. */
  wake(): void
}

const OFFLINE_AFTER_FAILURES = 5
const MIN_DELAY_MS = 1000
const MAX_DELAY_MS = 60 * 60_000

/** Reads a host's stream from its cursor, connecting anew whenever that ends. */
export function connectHost(options: HostConnectionOptions): HostConnection {
  const { position, intake, logger, schedule, onStatus } = options
  const { hostname } = position
  const { minDelayMs = MIN_DELAY_MS, maxDelayMs = MAX_DELAY_MS, random = Math.random } = schedule
  const stop = new AbortController()
  const { signal } = stop
  const stopped = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  const url = new URL('/xrpc/com.atproto.sync.subscribeRepos', originOfHost(hostname))
  let wake = () => {}

  const sleep = async (ms: number) => {
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        wake = () => {}
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done, { once: true })
      wake = done
    })
  }

  function open(target: URL, protocols: string[]): WebSocket {
    const socket = options.open(target, protocols)
    socket.addEventListener('open', () => onStatus('active'), { once: true })
    return socket
  }

  /** Until told to stop; throws when the host says that our cursor lies in its future. */
  async function read(): Promise<void> {
    const frames = subscribe(url, {
      signal,
      open,
      sleep,
      random,
      minDelayMs,
      maxDelayMs,
      // What is still under way would come again, and must be known as done by then.
      async cursor() {
        await Promise.race([position.idle(), stopped])
        return position.cursor
      },
      onErrorFrame: ({ error }) => (error === 'FutureCursor' && position.last > 0 ? 'throw' : 'reconnect'),
      onDisconnect: ({ ending, reason, failures, delayMs }) => {
        logger.info({ host: hostname, ending, reason, failures, delayMs }, 'disconnected from a host')
        if (failures >= OFFLINE_AFTER_FAILURES) onStatus('offline')
      },
    })
    for await (const frame of frames) {
      const wait = intake.push(frame)
      if (wait) await Promise.race([wait, stopped])
      if (signal.aborted) return
    }
  }

  async function run(): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await read()
        return
      } catch (error) {
        if (error instanceof XrpcError) await restart(error)
        else fail(error)
      }
      // A host for which this happens again and again is not dialled any faster than one that is down.
      const whole = Math.min(maxDelayMs, minDelayMs * 2 ** failures)
      await sleep(whole / 2 + (random() * whole) / 2)
    }
  }

  async function restart({ message }: XrpcError): Promise<void> {
    logger.warn(
      { host: hostname, cursor: position.cursor, message },
      'the host has begun its sequence anew: reading it from the start',
    )
    await Promise.race([position.idle(), stopped])
    if (!signal.aborted) options.onRestart()
  }

  function fail(error: unknown): void {
    logger.error({ err: error, host: hostname }, 'reading a host failed by our own fault: trying again')
    onStatus('offline')
  }

  void run()
  return {
    wake: () => wake(),
    [Symbol.dispose]: () => stop.abort(),
  }
}
