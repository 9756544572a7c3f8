import type { Logger } from '@imago/service'
import { createRateLimit } from '@imago/sync'
import { HostPosition } from '../ingest/host-position.ts'
import type { Intake } from '../ingest/intake.ts'
import type { Host, HostStatus, StateStore } from '../state/state-store.ts'
import { connectHost, type DialSchedule, type HostConnection } from './host-connection.ts'

/** The hosts that are read, one connection each. */
export interface Hosts extends Disposable {
  /** Connects to every host that is not banned, however it stood when the process ended. */
  start(): void
  /** Reads a new host from its oldest event. */
  add(hostname: string): void
  /** Remembers a host as one never to be read. */
  ban(hostname: string): void
  /** Dials a host that is waited for. */
  wake(hostname: string): void
  find(hostname: string): Host | undefined
}

export interface HostsOptions {
  readonly state: StateStore
  readonly intakeFor: (position: HostPosition) => Intake
  readonly open: (url: URL, protocols: string[]) => WebSocket
  readonly schedule: DialSchedule
  readonly now: () => number
  readonly logger: Logger
}

/** Whoever asks for a host again and again must not make us dial it again and again. */
const WAKE_INTERVAL_MS = 60_000

export function createHosts(options: HostsOptions): Hosts {
  const { state, intakeFor, open, schedule, now, logger } = options
  const connections = new Map<string, HostConnection>()
  const mayWake = createRateLimit(WAKE_INTERVAL_MS, now)
  let stopped = false

  function connect(host: Host): void {
    if (stopped || connections.has(host.hostname)) return
    const { hostname } = host
    const position = new HostPosition(host)
    let { status } = host
    const onStatus = (next: HostStatus) => {
      if (stopped || next === status) return
      status = next
      state.setHostStatus(hostname, next)
    }
    const connection = connectHost({
      position,
      intake: intakeFor(position),
      open,
      schedule,
      logger,
      onStatus,
      onRestart() {
        position.restart()
        state.restartHost(hostname)
        status = 'idle'
      },
    })
    connections.set(hostname, connection)
  }

  return {
    start() {
      for (const host of state.listHosts()) if (host.status !== 'banned') connect(host)
    },
    add(hostname) {
      state.addHost(hostname, 'active', now())
      connect(state.host(hostname)!)
    },
    ban(hostname) {
      state.addHost(hostname, 'banned', now())
    },
    wake(hostname) {
      if (mayWake(hostname)) connections.get(hostname)?.wake()
    },
    find: (hostname) => state.host(hostname),
    [Symbol.dispose]() {
      stopped = true
      for (const connection of connections.values()) connection[Symbol.dispose]()
    },
  }
}
