import { type Cid, readCar } from '@imago/data'
import { parseEvent } from '@imago/sync'
import { decodeFrame } from '@imago/xrpc/frames'
import type { EventRow } from './repo-tables.ts'

/** What an event says of where its account or repository stands. */
export type EventSummary =
  | { readonly kind: 'head'; readonly rev: string; readonly cid: Cid; readonly blocks: Uint8Array }
  | { readonly kind: 'account'; readonly status: string | undefined }
  | { readonly kind: 'other' }

/**
 * Reads an event of our own log.
 * @throws {Error} that says why, when it cannot be read or is not about what its row says.
 */
export function readEvent({ seq, key, payload }: EventRow): EventSummary {
  const frame = decodeFrame(payload)
  if (frame.kind !== 'message') throw new Error('it is no message')
  if (frame.body['seq'] !== seq) throw new Error(`it says that its number is ${frame.body['seq']}`)
  const parsed = parseEvent(frame.type, frame.body)
  // Readers pass over types that they do not know, such as those of a server that was taken over.
  if (parsed === undefined) return { kind: 'other' }
  if (parsed.type === '#info') throw new Error('#info has no place in a log')
  const { type, event } = parsed
  const about = type === '#commit' ? event.repo : event.did
  if (about !== key) throw new Error(`it is about ${about}`)
  switch (type) {
    case '#commit':
      return { kind: 'head', rev: event.rev, cid: event.commit, blocks: event.blocks }
    case '#sync': {
      const [cid] = readCar(event.blocks).roots
      if (cid === undefined) throw new Error('its CAR file has no root')
      return { kind: 'head', rev: event.rev, cid, blocks: event.blocks }
    }
    case '#account':
      return { kind: 'account', status: event.active ? undefined : (event.status ?? 'inactive') }
    default:
      return { kind: 'other' }
  }
}
