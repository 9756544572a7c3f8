import { readCar } from '@imago/data'
import type { LogEntry, NewEntry } from '@imago/log'
import { parseCommit } from '@imago/repo'
import { parseEvent, type StreamEvent, spliceSeq } from '@imago/sync'
import type { Did } from '@imago/syntax'
import { decodeFrame, encodeFrame } from '@imago/xrpc/frames'
import { ACTIVE, type Account, type Head, type UpstreamStatus } from '../state/account.ts'

/**
 * What an entry of the log says about itself besides the frame that is sent on: where it came from, and, of an
 * `#account`, what its host said before our own view took its place. `pds.example 42 {"active":true}`
 */
export interface Origin {
  readonly host: string
  /** The host's own number. */
  readonly seq: number
  readonly upstream?: UpstreamStatus | undefined
}

/** A frame as it came, under a number of ours. */
export const passOn = (origin: Origin, frame: Uint8Array): NewEntry => ({
  key: keyOf(origin),
  encode: (seq) => spliceSeq(frame, seq),
})

/** A frame of our own making. */
export const restate = (origin: Origin, type: string, body: Parameters<typeof encodeFrame>[1]): NewEntry => ({
  key: keyOf(origin),
  encode: (seq) => encodeFrame(type, { ...body, seq }),
})

function keyOf({ host, seq, upstream }: Origin): string {
  return upstream === undefined ? `${host} ${seq}` : `${host} ${seq} ${JSON.stringify(upstream)}`
}

/** @throws {Error} for a key that {@link passOn} and {@link restate} did not make. */
export function originOf(key: string): Origin {
  const [, host, seq, upstream] = /^(\S+) (\d+)(?: (\{.*\}))?$/s.exec(key) ?? []
  if (host === undefined) throw new Error(`the log has an entry with the key '${key.slice(0, 80)}'`)
  return { host, seq: Number(seq), ...(upstream !== undefined && { upstream: JSON.parse(upstream) }) }
}

/**
 * What an entry made of an account, told from the log alone: it was judged before it came there.
 * @param accountOf the account as the entries before this one left it.
 * @returns `undefined` when it changes nothing that is kept.
 */
export function replayEntry(
  { key, payload }: LogEntry,
  accountOf: (did: Did) => Account | undefined,
): Account | undefined {
  const { host, upstream } = originOf(key)
  const parsed = eventIn(payload)
  if (parsed === undefined || parsed.type === '#info' || parsed.type === '#identity') return undefined
  const did = (parsed.type === '#commit' ? parsed.event.repo : parsed.event.did) as Did
  const known: Account = accountOf(did) ?? { did, host, upstream: ACTIVE, local: 'active' }
  if (parsed.type === '#account') return { ...known, host, upstream: upstream ?? known.upstream }
  return { ...known, host, head: headIn(parsed.event.blocks) }
}

function eventIn(frame: Uint8Array): StreamEvent | undefined {
  const decoded = decodeFrame(frame)
  return decoded.kind === 'message' ? parseEvent(decoded.type, decoded.body) : undefined
}

function headIn(blocks: Uint8Array): Head {
  const car = readCar(blocks)
  const commit = car.roots[0]!
  const { data, rev } = parseCommit(car.blocks.get(commit)!)
  return { rev, data, commit }
}
