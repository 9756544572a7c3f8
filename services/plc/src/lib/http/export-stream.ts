import { CursorError, createFanOut, type FanOut } from '@imago/log'
import type { Upgrade, UpgradeHandler } from '@imago/service'
import { openOperationLog } from '../operation-log.ts'
import type { PlcStore } from '../store/plc-store.ts'

/** A consumer whose next operation is older than this reads the export first. */
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000

/** `/export/stream` as a WebSocket. */
export interface ExportStream extends Disposable {
  /** Agrees to open a stream, or answers why not. */
  readonly upgrade: UpgradeHandler
  /** Consumers that follow it now. */
  readonly consumers: number
}

/**
 * The stream of operations: one JSON text per operation, in order of sequence, each exactly once. `?cursor=` is the
 * last sequence number that the consumer has; without it the stream is live only. Readers follow the store at their own
 * pace, so a burst drops nobody. With `&withdrawals=true` notices come, too, each in its place; without it their numbers
 * are gaps. Ends with close code 1000 and the reason `FutureCursor`, `OutdatedCursor` or
 * `ConsumerTooSlow`, as consumers of the public directory expect.
 */
export async function openExportStream(store: PlcStore, now: () => number): Promise<ExportStream> {
  const operations = createFanOut(await openOperationLog(store), { opcode: 'text' })
  // Few ask for notices: what is kept for them is kept from the first of them on.
  let withNotices: Promise<FanOut> | undefined
  const openWithNotices = async () => {
    try {
      return createFanOut(await openOperationLog(store, true), { opcode: 'text' })
    } catch (error) {
      // The next one who asks finds the store well again.
      withNotices = undefined
      throw error
    }
  }
  const opened = new Set<FanOut>([operations])

  // What was withdrawn is not told again to whoever comes late.
  const unsubscribe = store.subscribe((_, withdrawals) => {
    for (const { operations: withdrawn } of withdrawals)
      for (const { cid } of withdrawn) for (const fanOut of opened) fanOut.forget(cid)
  })

  async function* messages(cursor: number | undefined, wantsNotices: boolean, signal: AbortSignal) {
    if (cursor !== undefined) await checkAge(cursor)
    const fanOut = wantsNotices ? await (withNotices ??= openWithNotices()) : operations
    opened.add(fanOut)
    yield* fanOut.read({ cursor, signal })
  }

  async function checkAge(cursor: number): Promise<void> {
    const [next] = await store.page({ seq: cursor }, 1)
    if (next !== undefined && next.createdAt < now() - MAX_AGE_MS)
      throw new CursorError(
        'OutdatedCursor',
        `operation ${next.seq} is older than 7 days: read /export?after=${cursor} first`,
      )
  }

  return {
    upgrade: (request): Upgrade | Response => {
      const { pathname, searchParams } = new URL(request.url)
      if (pathname !== '/export/stream')
        return Response.json(
          { message: `Not found: no stream at ${pathname.slice(0, 200)}` },
          { status: 404 },
        )
      const text = searchParams.get('cursor')
      const cursor = text === null ? undefined : /^\d+$/.test(text) ? Number(text) : Number.NaN
      if (cursor !== undefined && !Number.isSafeInteger(cursor))
        return Response.json({ message: 'Invalid cursor parameter' }, { status: 400 })
      const wantsNotices = searchParams.get('withdrawals') === 'true'
      return { messages: (signal) => messages(cursor, wantsNotices, signal), closeFor }
    },
    get consumers() {
      return [...opened].reduce((total, { readers }) => total + readers, 0)
    },
    [Symbol.dispose]() {
      unsubscribe()
      for (const fanOut of opened) fanOut[Symbol.dispose]()
    },
  }
}

/** Without an answer of ours the server closes as it does for any failure. */
function closeFor(error: unknown): { code: number; reason: string } | undefined {
  return error instanceof Error && 'code' in error && REASONS.has(error.code)
    ? { code: 1000, reason: String(error.code) }
    : undefined
}

const REASONS: ReadonlySet<unknown> = new Set(['FutureCursor', 'OutdatedCursor', 'ConsumerTooSlow'])
