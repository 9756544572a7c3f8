import { type Cid, DataError, decode, type JsonValue, readCar, toJson } from '@imago/data'
import {
  type CommitEvent,
  type CommitEventOp,
  parseEvent,
  type StreamEvent,
  verifyCommit,
  verifySync,
} from '@imago/sync'
import { decodeFrame } from '@imago/xrpc/frames'
import type { Names } from '../names.ts'
import { type CheckResult, commitChecks, syncChecks } from './check-list.ts'

/** What became of checking an event's signature and all that hangs on it. */
export interface Verification {
  readonly accepted: boolean
  /** For people: by whom it is signed, or what is wrong. */
  readonly summary: string
  readonly checks: readonly CheckResult[]
}

/** One operation with the record that it brings. */
export interface InspectedOp extends CommitEventOp {
  /** The record in its JSON form; `undefined` for a deletion, or where it cannot be read. */
  readonly record: JsonValue | undefined
}

/** One event of a repositories' stream, opened. */
export interface InspectedEvent {
  readonly stream: StreamEvent
  readonly did: string
  readonly frameBytes: number
  /** Absent for events that carry no commit. */
  readonly verification: Verification | undefined
  readonly ops: readonly InspectedOp[]
}

/**
 * Opens a frame and checks what it says, as any consumer of the stream can.
 * @returns `undefined` for frames that are about no account.
 * @throws {FrameError | SyncError} for what is no event.
 */
export async function inspectFrame(
  payload: Uint8Array,
  { names, now }: { names: Names; now: () => number },
): Promise<InspectedEvent | undefined> {
  const frame = decodeFrame(payload)
  const stream = frame.kind === 'message' ? parseEvent(frame.type, frame.body) : undefined
  if (stream === undefined || stream.type === '#info') return undefined
  const did = stream.type === '#commit' ? stream.event.repo : stream.event.did
  return {
    stream,
    did,
    frameBytes: payload.length,
    verification: await verificationOf(stream, did, names, now()),
    ops: stream.type === '#commit' ? inspectOps(stream.event) : [],
  }
}

async function verificationOf(
  stream: Exclude<StreamEvent, { type: '#info' }>,
  did: string,
  names: Names,
  nowMs: number,
): Promise<Verification | undefined> {
  if (stream.type !== '#commit' && stream.type !== '#sync') return undefined
  const judge = async (refresh: boolean) => {
    const identity = await names.identityOf(did, { refresh }).catch(() => undefined)
    const context = { account: undefined, signingKey: identity?.signingKey, nowMs }
    const [verdict, checks] =
      stream.type === '#commit' ? judgeCommit(stream.event, context) : judgeSync(stream.event, context)
    const summary = verdict.accepted
      ? `Signed by ${identity!.signingKey!.didKey}`
      : `Check ${verdict.check}, ${verdict.name}: ${verdict.reason}`
    return { accepted: verdict.accepted, summary, checks }
  }
  const first = await judge(false)
  // The key may have changed since we asked for it.
  return first.accepted ? first : judge(true)
}

type Context = Parameters<typeof verifySync>[1]

function judgeCommit(event: CommitEvent, context: Context) {
  const verdict = verifyCommit(event, context)
  return [verdict, commitChecks(verdict)] as const
}

function judgeSync(event: Parameters<typeof verifySync>[0], context: Context) {
  const verdict = verifySync(event, context)
  return [verdict, syncChecks(verdict)] as const
}

function inspectOps(event: CommitEvent): InspectedOp[] {
  const find = blocksOf(event)
  return event.ops.map((op) => ({ ...op, record: op.cid === null ? undefined : recordOf(op.cid, find) }))
}

function blocksOf(event: CommitEvent): (cid: Cid) => Uint8Array | undefined {
  try {
    const { blocks } = readCar(event.blocks)
    return (cid) => blocks.get(cid)
  } catch (error) {
    if (error instanceof DataError) return () => undefined
    throw error
  }
}

function recordOf(cid: Cid, find: (cid: Cid) => Uint8Array | undefined): JsonValue | undefined {
  const block = find(cid)
  try {
    return block && toJson(decode(block))
  } catch (error) {
    if (error instanceof DataError) return undefined
    throw error
  }
}
