import {
  type BlockMap,
  DataError,
  type DataMap,
  decode,
  isDataMap,
  RECORD_LIMITS,
  readCar,
  stringify,
} from '@imago/data'
import type { NewEntry } from '@imago/log'
import { isRepoPath } from '@imago/repo'
import { type CommitEvent, type CommitEventOp, parseEvent, SyncError } from '@imago/sync'
import { isDid, isTid } from '@imago/syntax'
import { FrameError } from '@imago/xrpc'
import { decodeFrame, type Frame } from '@imago/xrpc/frames'
import { ACCOUNT_TOPIC, entryKey, IDENTITY_TOPIC } from '../entry-key.ts'

/** One event on its way into the log. Its time is its place there, so its JSON text is complete only then. */
export interface Draft extends NewEntry {
  /** About how long its text will be. */
  readonly characters: number
}

/** Why something that the relay sent has no place in the stream. The names are labels of a metric. */
export type DropReason =
  | 'bad-frame'
  | 'bad-event'
  | 'bad-blocks'
  | 'bad-operation'
  | 'missing-record'
  | 'bad-record'

export interface Drop {
  readonly reason: DropReason
  /** For people: what was found. */
  readonly message: string
}

/** What one frame of the relay's firehose comes to. */
export interface Translation {
  /** The relay's number for it; `undefined` for what has no place in its sequence. */
  readonly seq: number | undefined
  readonly drafts: readonly Draft[]
  readonly drops: readonly Drop[]
  /** What the relay says about the stream itself, such as `OutdatedCursor`. */
  readonly info?: { readonly name: string; readonly message?: string }
}

/**
 * Turns a frame of `com.atproto.sync.subscribeRepos` into Jetstream events: one for each record of a `#commit`, one for
 * `#identity` and `#account` each, none for others. Pure; nothing that a relay sends makes it throw.
 *
 * Signatures and proofs were judged by the relay. Blocks are hashed here, so that a record is what its CID says.
 */
export function translateFrame(bytes: Uint8Array): Translation {
  let frame: Frame
  try {
    frame = decodeFrame(bytes)
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
    return nothing(undefined, 'bad-frame', error.message)
  }
  if (frame.kind !== 'message') return { seq: undefined, drafts: [], drops: [] }
  return translateMessage(frame.type, frame.body)
}

function translateMessage(type: string, body: DataMap): Translation {
  let parsed: ReturnType<typeof parseEvent>
  try {
    parsed = parseEvent(type, body)
  } catch (error) {
    if (!(error instanceof SyncError)) throw error
    return nothing(seqIn(body), 'bad-event', error.message)
  }
  switch (parsed?.type) {
    case '#commit':
      return translateCommit(parsed.event)
    case '#identity':
      return { seq: parsed.event.seq, drafts: [verbatim('identity', parsed.event.did, body)], drops: [] }
    case '#account':
      return { seq: parsed.event.seq, drafts: [verbatim('account', parsed.event.did, body)], drops: [] }
    case '#info':
      return { seq: undefined, drafts: [], drops: [], info: parsed.event }
    default:
      return { seq: seqIn(body), drafts: [], drops: [] }
  }
}

function verbatim(kind: 'identity' | 'account', did: string, body: DataMap): Draft {
  const topic = kind === 'identity' ? IDENTITY_TOPIC : ACCOUNT_TOPIC
  return draft(
    entryKey(topic, did, Number(body['seq'])),
    did,
    `"kind":"${kind}","${kind}":${stringify(body)}`,
  )
}

function translateCommit(event: CommitEvent): Translation {
  const { seq, repo, rev } = event
  if (!isDid(repo)) return nothing(seq, 'bad-event', `#commit: repo is ${quote(repo)}, which is not a DID`)
  if (!isTid(rev)) return nothing(seq, 'bad-event', `#commit of ${repo}: rev is ${quote(rev)}, not a TID`)

  let blocks: BlockMap | undefined
  if (event.ops.some(({ cid }) => cid !== null))
    try {
      blocks = readCar(event.blocks).blocks
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      return nothing(seq, 'bad-blocks', `#commit ${rev} of ${repo}: ${error.message}`)
    }

  const drafts: Draft[] = []
  const drops: Drop[] = []
  for (const op of event.ops) {
    const text = describeOperation(op, blocks)
    if (typeof text !== 'string') {
      drops.push({ ...text, message: `${quote(op.path)} in #commit ${rev} of ${repo}: ${text.message}` })
      continue
    }
    const slash = op.path.indexOf('/')
    const collection = op.path.slice(0, slash)
    // Paths and revs hold no character that JSON would have to escape: they were checked.
    const commit = `"rev":"${rev}","operation":"${op.action}","collection":"${collection}","rkey":"${op.path.slice(slash + 1)}"${text}`
    drafts.push(draft(entryKey(collection, repo, seq), repo, `"kind":"commit","commit":{${commit}}`))
  }
  return { seq, drafts, drops }
}

/** The members of `commit` that tell of the record, or why there is nothing to tell. */
function describeOperation(
  { action, path, cid }: CommitEventOp,
  blocks: BlockMap | undefined,
): string | Drop {
  if (!isRepoPath(path)) return { reason: 'bad-operation', message: 'not a repository path' }
  if (action === 'delete') return ''
  if (action !== 'create' && action !== 'update')
    return { reason: 'bad-operation', message: `${quote(action)} is not an action` }
  if (cid === null) return { reason: 'bad-operation', message: `${action} without a cid` }
  const block = blocks?.get(cid)
  if (block === undefined) return { reason: 'missing-record', message: `${cid} is not among the blocks` }
  try {
    const record = decode(block, RECORD_LIMITS)
    if (!isDataMap(record)) return { reason: 'bad-record', message: `${cid} is not a map` }
    return `,"record":${stringify(record)},"cid":"${cid}"`
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    return { reason: 'bad-record', message: `${cid} cannot be read: ${error.message}` }
  }
}

/** DIDs hold no character that JSON would have to escape. */
function draft(key: string, did: string, members: string): Draft {
  return {
    key,
    characters: did.length + members.length,
    encode: (timeMicros) => Buffer.from(`{"did":"${did}","time_us":${timeMicros},${members}}`),
  }
}

function nothing(seq: number | undefined, reason: DropReason, message: string): Translation {
  return { seq, drafts: [], drops: [{ reason, message }] }
}

/** The place of a message that cannot be used, or is of a type that came into use later. */
function seqIn({ seq }: DataMap): number | undefined {
  return Number.isSafeInteger(seq) && (seq as number) >= 1 ? (seq as number) : undefined
}

const quote = (text: string) => JSON.stringify(text.slice(0, 80))
