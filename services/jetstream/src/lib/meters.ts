import type { Metrics } from '@imago/service'
import type { Health } from './pages.ts'
import type { JetstreamMeters } from './ports.ts'

/** Registers Jetstream's metrics. Gauges ask for the state when they are read. */
export function createMeters(metrics: Metrics, health: () => Health): JetstreamMeters {
  const taken = metrics.counter({ name: 'events_total', help: 'Events taken into the stream.' })
  const dropped = metrics.counter({
    name: 'dropped_total',
    help: 'What the relay sent that has no place in the stream, by reason.',
    labelNames: ['reason'],
  })
  metrics.gauge({
    name: 'subscribers',
    help: 'Readers that are connected.',
    collect() {
      this.set(health().subscribers)
    },
  })
  metrics.gauge({
    name: 'relay_seq',
    help: "The relay's number of the last event taken.",
    collect() {
      this.set(health().relaySeq ?? 0)
    },
  })
  metrics.gauge({
    name: 'newest_event_seconds',
    help: 'Time of the newest event, in seconds since the Unix epoch.',
    collect() {
      this.set(health().newestTimeMicros / 1_000_000)
    },
  })
  return {
    taken: (events) => taken.inc(events),
    dropped: (reason) => dropped.inc({ reason }),
  }
}
