import type { Names } from '../names.ts'
import type { NamedEvent } from '../pages/live-page.ts'
import type { Arrival } from './feed.ts'
import type { Feeds } from './feeds.ts'
import type { Filter } from './filter.ts'
import type { LiveEvent, Source } from './live-event.ts'

interface Wanted {
  readonly feeds: Feeds
  readonly names: Names
  readonly source: Source
  readonly filter: Filter
}

/** The newest events that a filter lets through, newest first. */
export async function latestEvents({
  feeds,
  names,
  source,
  filter,
  max,
}: Wanted & { max: number }): Promise<NamedEvent[]> {
  const found: LiveEvent[] = []
  for (const { payload } of feeds[source].recent.toReversed()) {
    found.push(...feeds.events(source, payload).filter(filter).reverse())
    if (found.length >= max) break
  }
  return Promise.all(found.slice(0, max).map((event) => named(event, names)))
}

async function named(event: LiveEvent, names: Names): Promise<NamedEvent> {
  return { ...event, handle: await names.handleOf(event.did) }
}

/** Messages that may wait for a browser. One that is slower than this misses some, as the page shows only the last anyway. */
const MAX_WAITING = 500
const BATCH = 50
/** Keeps the connection from looking dead. */
const HEARTBEAT_MS = 15_000
const RETRY_MS = 1000

/**
 * Rows as server-sent events, from those that came after a position on. The id of each is its position, from which a
 * browser goes on when its connection broke.
 * @param options.row markup of one event.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function liveStream(
  options: Wanted & {
    after: number
    signal: AbortSignal
    row: (event: NamedEvent) => Promise<string>
  },
): ReadableStream<Uint8Array> {
  return ReadableStream.from(messages(options)).pipeThrough(new TextEncoderStream())
}

async function* messages(
  options: Wanted & { after: number; signal: AbortSignal; row: (event: NamedEvent) => Promise<string> },
): AsyncGenerator<string> {
  const { feeds, names, source, filter, after, signal, row } = options
  const feed = feeds[source]
  const waiting: Arrival[] = feed.recent.filter(({ position }) => position > after)
  let wake = () => {}
  const unlisten = feed.listen((arrival) => {
    waiting.push(arrival)
    if (waiting.length > MAX_WAITING) waiting.shift()
    wake()
  })
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort)
  try {
    yield `retry: ${RETRY_MS}\n\n`
    while (!signal.aborted) {
      const batch = waiting.splice(0, BATCH)
      if (batch.length === 0) {
        yield* await quietly((resolve) => {
          wake = resolve
        })
        continue
      }
      const events = batch.flatMap(({ payload }) => feeds.events(source, payload).filter(filter))
      const rows = await Promise.all(events.map(async (event) => row(await named(event, names))))
      const last = batch.at(-1)!.position
      if (rows.length > 0)
        yield `id: ${last}\nevent: rows\ndata: ${JSON.stringify(rows.reverse().join(''))}\n\n`
    }
  } finally {
    unlisten()
    signal.removeEventListener('abort', onAbort)
  }
}

/** Waits until woken; after a while it is time for a heartbeat. */
async function quietly(onWake: (resolve: () => void) => void): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined
  const outcome = await new Promise<'woken' | 'time'>((resolve) => {
    onWake(() => resolve('woken'))
    timer = setTimeout(() => resolve('time'), HEARTBEAT_MS)
  })
  clearTimeout(timer)
  return outcome === 'time' ? [': still here\n\n'] : []
}
