import type { Value } from '@imago/data'
import type { Nsid } from '@imago/syntax'
import type { Issue, Mode, Result } from './issue.ts'

/**
 * What a value must look like. Values are those of the data model (Cid, Uint8Array), never JSON forms; whether they
 * encode at all (no floats, no cycles) is the business of `@imago/data`. Validators never change or copy a value.
 */
export interface Schema<T> {
  /** The first issue, or `undefined` for a valid value. Allocates nothing on success. */
  check(value: unknown, mode?: Mode): Issue | undefined
  /** The value, now typed, or the first issue. `mode` is `strict` unless given. */
  validate(value: unknown, mode?: Mode): Result<T>
  /** Whether the value is valid in mode `strict`. */
  is(value: unknown): value is T
  /**
   * The same value, typed. Mode `strict`.
   * @throws {LexiconError} when it is invalid.
   */
  parse(value: unknown): T
}

/** A record type, whose values carry their NSID in `$type`. */
export interface RecordSchema<R> extends Schema<R> {
  readonly type: 'record'
  readonly nsid: Nsid
  /** As in the schema document: `tid`, `nsid`, `any` or `literal:<key>`. */
  readonly keyRule: string
  /** Whether a record of this type may lie at the record key. */
  isKey(rkey: string): boolean
}

/**
 * The query string of a method. `P` is what the method sees, with defaults filled in; `G` is what a caller gives, where
 * parameters with a default may be left out.
 * @see https://atproto.com/specs/xrpc#lexicon-http-endpoints
 */
export interface ParamsSchema<P, G = P> {
  /** Typed parameters, defaults applied. Unknown parameters and empty values count as absent. */
  decode(query: URLSearchParams): Result<P>
  /**
   * The query string, with defaults spelled out, as the specification asks of clients.
   * @throws {LexiconError} when a parameter is missing or breaks its schema.
   */
  encode(params: G): URLSearchParams
}

/** The body of a request or answer. Without a schema it is bytes, or JSON of any shape. */
export interface Body<T> {
  /** A MIME type without parameters, `type/*` or `*`/`*`. */
  readonly encoding: string
  readonly schema?: Schema<T>
}

/** A body that is not JSON, as a stream. */
export type RawBody = { encoding: string; body: ReadableStream<Uint8Array> }

/** An HTTP GET method. `E` are the names of its errors, for clients to narrow by. */
export interface QuerySchema<P, O, G = P, E extends string = string> {
  readonly type: 'query'
  readonly nsid: Nsid
  readonly params: ParamsSchema<P, G>
  readonly output?: Body<O>
  /** Error names that the method documents, beside the general ones. */
  readonly errors: readonly E[]
}

/** An HTTP POST method. */
export interface ProcedureSchema<P, I, O, G = P, E extends string = string> {
  readonly type: 'procedure'
  readonly nsid: Nsid
  readonly params: ParamsSchema<P, G>
  readonly input?: Body<I>
  readonly output?: Body<O>
  readonly errors: readonly E[]
}

/** A WebSocket method. Messages carry `$type` here, whatever the framing does with it. */
export interface SubscriptionSchema<P, M, G = P, E extends string = string> {
  readonly type: 'subscription'
  readonly nsid: Nsid
  readonly params: ParamsSchema<P, G>
  readonly message: Schema<M>
  /** How messages are framed, where the document says it: `xrpc.v1.json`. */
  readonly subprotocol?: string
  readonly errors: readonly E[]
}

/** A value as a member of a union, where `$type` may not be left out. */
export type Typed<T extends { $type?: string }> = T & { $type: NonNullable<T['$type']> }

// A type that no listed literal is comparable with: a brand on `string` would keep unions from narrowing at all.
declare enum UnlistedType {
  any = '(any type that the union does not list)',
}

/**
 * A member of an open union that the schema does not list: its `$type` is some other string. Comparing `$type` with a
 * listed name narrows to that variant.
 */
export type UnknownVariant = { $type: UnlistedType; [key: string]: Value }

/** Parameters as a caller gives them: those that have a default may be left out. */
export type Given<P, Defaulted extends keyof P> = Omit<P, Defaulted> & Partial<Pick<P, Defaulted>>
