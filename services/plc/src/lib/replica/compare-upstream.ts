import type { PlcStore } from '../store/plc-store.ts'
import type { Upstream } from './upstream.ts'

const PAGE_LINES = 1000

/** An operation that one side has, and the other has not, or tells with another time. */
export interface Divergence {
  readonly did: string
  readonly cid: string
  /** ISO 8601, as the side tells it that has the operation. */
  readonly createdAt: string
  readonly kind: 'missing here' | 'missing there' | 'another time'
}

interface Told {
  readonly did: string
  readonly cid: string
  readonly createdAt: string
}

/**
 * Holds the history here against what a directory tells now, by time: what was taken back, slipped in or dated anew
 * shows, whatever numbers it has. The same directory can be held against itself later, or another mirror of it.
 * @param range in milliseconds since the Unix epoch, both exclusive. Ends early enough that both sides have it whole.
 */
export async function* compareUpstream(
  store: Pick<PlcStore, 'page'>,
  upstream: Upstream,
  range: { readonly after: number; readonly before: number },
  signal: AbortSignal,
): AsyncGenerator<Divergence> {
  let from = range.after
  while (from < range.before) {
    const theirs = await theirWindow(upstream, from, range.before, signal)
    const until = theirs.until
    const ours = await ourWindow(store, from, until)
    yield* difference(ours, theirs.told)
    from = until - 1
    if (until >= range.before) return
  }
}

/** What they tell of a stretch of time that begins behind `from`. A page may end within a millisecond: leave that out. */
async function theirWindow(upstream: Upstream, from: number, before: number, signal: AbortSignal) {
  const lines = await upstream.page(new Date(from).toISOString(), PAGE_LINES, signal)
  const told = lines.map(toldOf)
  if (lines.length < PAGE_LINES) return { told: told.filter(isWithin(from, before)), until: before }
  const until = Math.min(before, Date.parse(told.at(-1)!.createdAt))
  if (until <= from + 1)
    throw new Error(
      `${upstream.url} tells ${PAGE_LINES} operations of one millisecond, ${new Date(until).toISOString()}: they cannot be compared page by page`,
    )
  return { told: told.filter(isWithin(from, until)), until }
}

async function ourWindow(store: Pick<PlcStore, 'page'>, from: number, until: number): Promise<Told[]> {
  const found: Told[] = []
  for (let time = from; ; ) {
    const page = await store.page({ time }, PAGE_LINES)
    // The last millisecond of a full page may go on in the next one: it is read again.
    const last = page.length < PAGE_LINES ? until : page.at(-1)!.createdAt
    for (const { did, cid, createdAt } of page)
      if (createdAt < Math.min(until, last))
        found.push({ did, cid, createdAt: new Date(createdAt).toISOString() })
    if (last >= until) return found
    if (last - 1 <= time)
      throw new Error(`more than ${PAGE_LINES} operations of one millisecond cannot be compared page by page`)
    time = last - 1
  }
}

function* difference(ours: readonly Told[], theirs: readonly Told[]): Generator<Divergence> {
  const keyOf = ({ did, cid }: Told) => `${did} ${cid}`
  const here = new Map(ours.map((one) => [keyOf(one), one]))
  for (const told of theirs) {
    const own = here.get(keyOf(told))
    here.delete(keyOf(told))
    if (own === undefined) yield { ...told, kind: 'missing here' }
    else if (Date.parse(own.createdAt) !== Date.parse(told.createdAt)) yield { ...told, kind: 'another time' }
  }
  for (const own of here.values()) yield { ...own, kind: 'missing there' }
}

const isWithin =
  (from: number, until: number) =>
  ({ createdAt }: Told) =>
    Date.parse(createdAt) > from && Date.parse(createdAt) < until

function toldOf(line: string): Told {
  const { did, cid, createdAt } = JSON.parse(line) as Record<string, unknown>
  if (typeof did !== 'string' || typeof cid !== 'string' || Number.isNaN(Date.parse(String(createdAt))))
    throw new Error(`a line of an export lacks did, cid or createdAt: ${line.slice(0, 200)}`)
  return { did, cid, createdAt: String(createdAt) }
}
