import { type Cid, type DataMap, isCid, type Value } from '@imago/data'
import { type Did, type Handle, isDatetime, isDid, isHandle } from '@imago/syntax'
import { SyncError } from './sync-error.ts'

/**
 * Body of `#commit`, its fields of the right types and no more: what they have to say of one another is the matter of
 * {@link verifyCommit}.
 * @see https://atproto.com/specs/sync#commit-event
 */
export interface CommitEvent {
  readonly seq: number
  readonly repo: string
  readonly commit: Cid
  readonly rev: string
  /** Rev of the commit before; `null` for the first. */
  readonly since: string | null
  /** Root of the tree before. */
  readonly prevData?: Cid
  /** A CAR slice: the commit, new records, and the nodes that undoing the operations takes. */
  readonly blocks: Uint8Array
  readonly ops: readonly CommitEventOp[]
  readonly time: string
  readonly tooBig: boolean
  readonly rebase: boolean
}

/** One record's change, as told: `prev` is absent where nothing was before. */
export interface CommitEventOp {
  readonly action: string
  readonly path: string
  readonly cid: Cid | null
  readonly prev?: Cid
}

/** Body of `#sync`: where a repository stands, whatever was before. */
export interface SyncEvent {
  readonly seq: number
  readonly did: string
  /** A CAR file of one block: the commit. */
  readonly blocks: Uint8Array
  readonly rev: string
  readonly time: string
}

/** Body of `#identity`: whatever is known of the account's DID document and handle may be out of date. */
export interface IdentityEvent {
  readonly seq: number
  readonly did: Did
  readonly time: string
  /** Absent does not mean that there is none. */
  readonly handle?: Handle
}

/** Body of `#account`: how the account stands with the host that sends this. */
export interface AccountEvent {
  readonly seq: number
  readonly did: Did
  readonly time: string
  readonly active: boolean
  /** `takendown`, `suspended`, `deleted`, `deactivated`, `desynchronized`, `throttled`, or one that is not known yet. */
  readonly status?: string
}

/** Body of `#info`: about the stream itself, with no place in it. */
export interface InfoEvent {
  /** Such as `OutdatedCursor`. */
  readonly name: string
  readonly message?: string
}

/** One message of `com.atproto.sync.subscribeRepos`. */
export type StreamEvent =
  | { readonly type: '#commit'; readonly event: CommitEvent }
  | { readonly type: '#sync'; readonly event: SyncEvent }
  | { readonly type: '#identity'; readonly event: IdentityEvent }
  | { readonly type: '#account'; readonly event: AccountEvent }
  | { readonly type: '#info'; readonly event: InfoEvent }

/**
 * A message by its type; `undefined` for types that came into use later, which are to be passed over.
 * @throws {SyncError} InvalidEvent
 */
export function parseEvent(type: string, body: DataMap): StreamEvent | undefined {
  switch (type) {
    case '#commit':
      return { type, event: parseCommitEvent(body) }
    case '#sync':
      return { type, event: parseSyncEvent(body) }
    case '#identity':
      return { type, event: parseIdentityEvent(body) }
    case '#account':
      return { type, event: parseAccountEvent(body) }
    case '#info':
      return { type, event: parseInfoEvent(body) }
    default:
      return undefined
  }
}

/** @throws {SyncError} InvalidEvent when a field is missing or of another type. Unknown fields are passed over. */
export function parseCommitEvent(body: DataMap): CommitEvent {
  const read = reader('#commit', body)
  // Of no meaning any more, and required: clients that go by the schema refuse an event without it.
  const blobs = read.array('blobs')
  if (!blobs.every(isCid)) throw invalid('#commit', 'blobs', 'an array of links', blobs)
  const prevData = read.optional('prevData', isCid, 'a link')
  return {
    seq: read.seq(),
    repo: read.string('repo'),
    commit: read.required('commit', isCid, 'a link'),
    rev: read.string('rev'),
    since: read.required('since', isStringOrNull, 'a string or null'),
    ...(prevData && { prevData }),
    blocks: read.required('blocks', isBytes, 'bytes'),
    ops: read.array('ops').map(parseOp),
    time: read.time(),
    tooBig: read.required('tooBig', isBoolean, 'a boolean'),
    rebase: read.required('rebase', isBoolean, 'a boolean'),
  }
}

function parseOp(op: Value): CommitEventOp {
  if (!isMap(op)) throw invalid('#commit', 'ops', 'an array of maps', op)
  const read = reader('#commit op', op)
  const prev = read.optional('prev', isCid, 'a link')
  return {
    action: read.string('action'),
    path: read.string('path'),
    cid: read.required('cid', isCidOrNull, 'a link or null'),
    ...(prev && { prev }),
  }
}

/** @throws {SyncError} InvalidEvent */
export function parseSyncEvent(body: DataMap): SyncEvent {
  const read = reader('#sync', body)
  return {
    seq: read.seq(),
    did: read.string('did'),
    blocks: read.required('blocks', isBytes, 'bytes'),
    rev: read.string('rev'),
    time: read.time(),
  }
}

/** @throws {SyncError} InvalidEvent */
export function parseIdentityEvent(body: DataMap): IdentityEvent {
  const read = reader('#identity', body)
  const handle = read.optional('handle', isHandle, 'a handle')
  return { seq: read.seq(), did: read.did(), time: read.time(), ...(handle && { handle }) }
}

/** @throws {SyncError} InvalidEvent */
export function parseAccountEvent(body: DataMap): AccountEvent {
  const read = reader('#account', body)
  const status = read.optional('status', isString, 'a string')
  return {
    seq: read.seq(),
    did: read.did(),
    time: read.time(),
    active: read.required('active', isBoolean, 'a boolean'),
    ...(status !== undefined && { status }),
  }
}

/** @throws {SyncError} InvalidEvent */
export function parseInfoEvent(body: DataMap): InfoEvent {
  const read = reader('#info', body)
  const message = read.optional('message', isString, 'a string')
  return { name: read.string('name'), ...(message !== undefined && { message }) }
}

type Guard<T extends Value> = (value: Value | undefined) => value is T

/** Reads one body's fields, each as what it has to be. */
function reader(type: string, body: DataMap) {
  const required = <T extends Value>(field: string, guard: Guard<T>, expected: string): T => {
    const value = Object.hasOwn(body, field) ? body[field] : undefined
    if (!guard(value)) throw invalid(type, field, expected, value)
    return value
  }
  return {
    required,
    /** Absent, or `null` where a producer writes that instead. */
    optional: <T extends Value>(field: string, guard: Guard<T>, expected: string): T | undefined =>
      Object.hasOwn(body, field) && body[field] !== null ? required(field, guard, expected) : undefined,
    string: (field: string) => required(field, isString, 'a string'),
    array: (field: string) => required(field, isArray, 'an array'),
    seq: () => required('seq', isSeq, 'a whole number from 1 to 2^53 - 1'),
    time: () => required('time', isDatetime as unknown as Guard<string>, 'a datetime'),
    did: () => required('did', isDid as Guard<Did>, 'a DID'),
  }
}

function invalid(type: string, field: string, expected: string, value: Value | undefined): SyncError {
  const found =
    value === undefined
      ? 'missing'
      : typeof value === 'object'
        ? describe(value)
        : JSON.stringify(value).slice(0, 80)
  return new SyncError('InvalidEvent', `${type}: ${field} is ${found}, and ${expected} is expected`)
}

const describe = (value: object | null) =>
  value === null
    ? 'null'
    : isCid(value)
      ? 'a link'
      : isBytes(value as Value)
        ? 'bytes'
        : Array.isArray(value)
          ? 'an array'
          : 'a map'

const isString = (value: Value | undefined): value is string => typeof value === 'string'
const isBoolean = (value: Value | undefined): value is boolean => typeof value === 'boolean'
const isBytes = (value: Value | undefined): value is Uint8Array => value instanceof Uint8Array
const isArray = (value: Value | undefined): value is Value[] => Array.isArray(value)
const isStringOrNull = (value: Value | undefined): value is string | null => value === null || isString(value)
const isCidOrNull = (value: Value | undefined): value is Cid | null => value === null || isCid(value)
const isSeq = (value: Value | undefined): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 1
const isMap = (value: Value): value is DataMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isBytes(value) && !isCid(value)
