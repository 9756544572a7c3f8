import type { DataMap } from '@imago/data'
import { parseEvent, type StreamEvent, SyncError } from '@imago/sync'
import { FrameError } from '@imago/xrpc'
import { decodeFrame, type Frame } from '@imago/xrpc/frames'
import type { DropReason } from './drops.ts'

/** An event with a place in the host's sequence. */
export interface Arrival {
  readonly seq: number
  readonly parsed: Exclude<StreamEvent, { type: '#info' }>
  /** Whom it is about; not checked yet. */
  readonly did: string
  readonly body: DataMap
  readonly frame: Uint8Array
}

/** Something that is not to be acted on. Where it has a number, that is done with. */
export interface Unfit {
  readonly check: DropReason
  readonly reason: string
  readonly seq?: number | undefined
  readonly did?: string | undefined
}

export type Reading =
  | { readonly kind: 'event'; readonly arrival: Arrival }
  | { readonly kind: 'info'; readonly name: string; readonly message: string | undefined }
  | { readonly kind: 'unfit'; readonly unfit: Unfit }

/**
 * What a message of a host's stream says. Never throws: WebSocket tells where the next message begins, so one that
 * cannot be read spoils no other.
 */
export function readFrame(frame: Uint8Array): Reading {
  let decoded: Frame
  try {
    decoded = decodeFrame(frame)
  } catch (error) {
    return unfit(error instanceof FrameError ? 'frame' : 'internal', String(error))
  }
  if (decoded.kind === 'error') return unfit('frame', `an error frame in disguise: ${decoded.error}`)
  if (decoded.kind === 'unknown') return unfit('frame', `a frame of op ${decoded.op}`)
  const { type, body } = decoded
  try {
    const parsed = parseEvent(type, body)
    if (parsed === undefined)
      return unfit('unknown-type', `a message of type ${type.slice(0, 80)}`, seqOf(body))
    if (parsed.type === '#info') return { kind: 'info', ...parsed.event, message: parsed.event.message }
    const did = parsed.type === '#commit' ? parsed.event.repo : parsed.event.did
    return { kind: 'event', arrival: { seq: parsed.event.seq, parsed, did, body, frame } }
  } catch (error) {
    return unfit(error instanceof SyncError ? 'body' : 'internal', String(error), seqOf(body))
  }
}

const unfit = (check: DropReason, reason: string, seq?: number): Reading => ({
  kind: 'unfit',
  unfit: { check, reason, ...(seq !== undefined && { seq }) },
})

function seqOf({ seq }: DataMap): number | undefined {
  return Number.isSafeInteger(seq) && (seq as number) >= 1 ? (seq as number) : undefined
}
