import { PlcError } from '@imago/identity/plc'
import type { Metrics } from '@imago/service'
import type { PlcStore } from './store/plc-store.ts'
import { WriteLimitError } from './write-limits.ts'

/** Hears how submissions end. */
export interface SubmissionMetrics {
  accepted(): void
  refused(error: unknown): void
}

/** Registers what an operator watches: submissions by outcome, the newest operation, consumers of the stream. */
export function createPlcMetrics(
  metrics: Metrics,
  { store, consumers }: { readonly store: PlcStore; readonly consumers: () => number },
): SubmissionMetrics {
  const submissions = metrics.counter({
    name: 'plc_submissions_total',
    help: 'Operations that were submitted, by what became of them.',
    labelNames: ['outcome'],
  })
  metrics.gauge({
    name: 'plc_last_seq',
    help: 'Sequence number of the newest operation.',
    async collect() {
      this.set((await store.latest())?.seq ?? 0)
    },
  })
  metrics.gauge({
    name: 'plc_stream_consumers',
    help: 'Consumers that follow the export stream.',
    collect() {
      this.set(consumers())
    },
  })
  return {
    accepted: () => submissions.inc({ outcome: 'accepted' }),
    refused: (error) => submissions.inc({ outcome: outcomeOf(error) }),
  }
}

function outcomeOf(error: unknown): string {
  if (error instanceof PlcError) return error.code
  return error instanceof WriteLimitError ? 'RateLimitExceeded' : 'Failed'
}
