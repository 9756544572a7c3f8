import type { Logger, Metrics } from '@imago/service'
import type { Drops } from './drops.ts'
import type { HostPosition, Ticket } from './host-position.ts'
import type { Identities } from './identities.ts'
import type { Decision, Judge } from './judge.ts'
import type { Lanes } from './lanes.ts'
import type { Ledger } from './ledger.ts'
import { type Arrival, readFrame, type Unfit } from './read-frame.ts'

/** The way of one host's events: frame in, verdict, log entry, state. */
export interface Intake {
  /** Takes a frame. Returns a promise when the host has to wait before the next one. */
  push(frame: Uint8Array): Promise<void> | undefined
}

export function createIntakeMetrics(metrics: Metrics) {
  return {
    received: metrics.counter({
      name: 'received_events_total',
      help: 'Frames that hosts sent.',
      labelNames: ['host'],
    }),
    forwarded: metrics.counter({
      name: 'forwarded_events_total',
      help: 'Events that were passed on, by type.',
      labelNames: ['type'],
    }),
    noted: metrics.counter({
      name: 'noted_events_total',
      help: 'Events that were passed on though something was found: a gap in the chain, or what leniency forgave.',
      labelNames: ['host', 'finding'],
    }),
  }
}

export interface IntakeOptions {
  readonly position: HostPosition
  readonly identities: Identities
  readonly judge: Judge
  /** By account, and for all hosts together: an account that moves is spoken of by two. */
  readonly lanes: Lanes
  readonly ledger: Ledger
  readonly drops: Drops
  readonly metrics: ReturnType<typeof createIntakeMetrics>
  readonly logger: Logger
}

export function createIntake(options: IntakeOptions): Intake {
  const { position, identities, judge, lanes, ledger, drops, metrics, logger } = options
  const { hostname } = position
  const host = { hostname, identities }

  function discard(unfit: Unfit, ticket: Ticket | undefined): void {
    drops.note({ ...unfit, host: hostname })
    if (ticket) ledger.settle({ position, ticket, entries: [] })
  }

  /** The number's turn; `undefined` when it has had it. */
  function begin(seq: number, bytes: number): Ticket | undefined {
    const { last } = position
    const ticket = position.begin(seq, bytes)
    if (ticket) return ticket
    if (seq > last)
      // Done before a crash, and only now come by again.
      ledger.settle({ position, entries: [] })
    else
      drops.note({ host: hostname, check: 'sequence', reason: `seq ${seq} does not come after ${last}`, seq })
    return undefined
  }

  async function process(arrival: Arrival, ticket: Ticket): Promise<void> {
    const { seq, did, parsed } = arrival
    let decision: Decision
    try {
      decision = await judge.decide(arrival, host)
    } catch (error) {
      if (ledger.isClosed) return
      // One event must neither stop the relay nor hold up its host for ever. A consumer sees the gap and mends it.
      logger.error({ err: error, host: hostname, seq, did }, 'an event could not be judged')
      decision = { kind: 'drop', check: 'internal', reason: String(error) }
    }
    if (decision.kind === 'drop') return discard({ ...decision, seq, did }, ticket)
    const { entries, account, noted } = decision
    metrics.forwarded.inc({ type: parsed.type })
    if (noted) metrics.noted.inc({ host: hostname, finding: noted })
    ledger.settle({ position, ticket, entries, account })
  }

  return {
    push(frame) {
      metrics.received.inc({ host: hostname })
      const reading = readFrame(frame)
      if (reading.kind === 'info') {
        logger.info({ host: hostname, info: reading.name, message: reading.message }, 'the host says')
        return undefined
      }
      if (reading.kind === 'unfit') {
        const { unfit } = reading
        if (unfit.seq === undefined) discard(unfit, undefined)
        else {
          const ticket = begin(unfit.seq, frame.length)
          if (ticket) discard(unfit, ticket)
        }
      } else {
        const { arrival } = reading
        const ticket = begin(arrival.seq, frame.length)
        if (ticket) lanes.run(arrival.did, () => process(arrival, ticket))
      }
      return position.hasRoom ? undefined : position.room()
    },
  }
}
