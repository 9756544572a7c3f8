import type { Body, ParamsSchema } from '@imago/lexicon'
import type { Nsid } from '@imago/syntax'
import type { HttpSchema, ParamsOf, StreamSchema } from './schema-types.ts'
import type { StreamProtocol } from './stream-protocol.ts'

/**
 * A query or procedure, by what a handler has to do with it. Written out rather than taken from {@link HttpSchema} with
 * conditional types, for then the literals that a handler returns would lose their types.
 */
export interface ServedSchema<P, I, O> {
  readonly type: 'query' | 'procedure'
  readonly nsid: Nsid
  // biome-ignore lint/suspicious/noExplicitAny: how callers write parameters is no concern of a server
  readonly params: ParamsSchema<P, any>
  readonly input?: Body<I>
  readonly output?: Body<O>
  readonly errors: readonly string[]
}

/** What a handler gets: everything has been checked against the schema of the method. */
export interface MethodContext<P, I, A> {
  readonly nsid: Nsid
  readonly params: P
  /** A body that is not JSON comes as a stream that fails with 413 where it grows beyond `maxBodyBytes`. */
  readonly input: I
  readonly auth: A
  readonly request: Request
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
  /** Headers to add to the answer when the handler returns an output rather than a `Response`. */
  readonly responseHeaders: Headers
}

/** An output whose JSON is made already, where going through values would cost more than the work itself. */
export class JsonText {
  /** Bytes are its UTF-8. */
  readonly text: string | Uint8Array

  constructor(text: string | Uint8Array) {
    this.text = text
  }
}

/**
 * What a handler may return: the output, its JSON, a `Response` to be sent as it is, or nothing where there is no output.
 */
export type HandlerOutput<O> = Response | JsonText | O | (undefined extends O ? NothingReturned : never)

// biome-ignore lint/suspicious/noConfusingVoidType: functions without a return statement have this type
type NothingReturned = void

export type MethodHandler<P, I, O, A> = (
  context: MethodContext<P, I, A>,
) => HandlerOutput<O> | Promise<HandlerOutput<O>>

export interface MethodOptions<A> {
  /** Runs before the body is read; throws an {@link XrpcError} to refuse. What it returns is `context.auth`. */
  readonly auth?: (request: Request, nsid: Nsid) => A | Promise<A>
  /** Longest body in bytes, as actually read. Default: 153,600 for JSON, 5,242,880 for raw bodies. */
  readonly maxBodyBytes?: number
}

/** A method of a server: schema, options and handler, with their types checked against each other and forgotten. */
export interface Method {
  readonly schema: HttpSchema
  readonly options: MethodOptions<unknown>
  // biome-ignore lint/suspicious/noExplicitAny: `method` has checked the handler against the schema
  readonly handler: MethodHandler<any, any, any, any>
}

/**
 * A query or procedure for {@link createXrpcServer}.
 * @param handler returns the output in the data model, or a `Response` to be sent as it is; throws {@link XrpcError}
 */
export function method<P, I = undefined, O = undefined>(
  schema: ServedSchema<P, I, O>,
  handler: MethodHandler<P, I, O, undefined>,
): Method
export function method<P, I = undefined, O = undefined, A = undefined>(
  schema: ServedSchema<P, I, O>,
  options: MethodOptions<A>,
  handler: MethodHandler<P, I, O, A>,
): Method
export function method(
  schema: Method['schema'],
  ...rest: [Method['handler']] | [Method['options'], Method['handler']]
): Method {
  const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest
  return { schema, options, handler }
}

export interface StreamContext<S extends StreamSchema> {
  readonly nsid: Nsid
  readonly params: ParamsOf<S>
  readonly request: Request
  /** Aborts when the client or the server closes the socket. */
  readonly signal: AbortSignal
  /** What the client and the server agreed to write frames in. */
  readonly protocol: StreamProtocol
}

export type StreamHandler<S extends StreamSchema> = (
  context: StreamContext<S>,
) => AsyncIterable<readonly Uint8Array[]>

export interface StreamOptions {
  /** What the handler can write, the one for clients that ask for nothing first. Default: `xrpc.v0.cbor` alone. */
  readonly protocols?: readonly [StreamProtocol, ...StreamProtocol[]]
}

/** A subscription of a server. */
export interface Subscription {
  readonly schema: StreamSchema
  readonly options: StreamOptions
  // biome-ignore lint/suspicious/noExplicitAny: `subscription` has checked the handler against the schema
  readonly handler: StreamHandler<any>
}

/**
 * A subscription for {@link createXrpcServer}.
 * @param handler yields batches of WebSocket-framed bytes, ready for the socket; throwing {@link XrpcError} sends an
 * error frame and ends the stream
 */
export function subscription<const S extends StreamSchema>(schema: S, handler: StreamHandler<S>): Subscription
export function subscription<const S extends StreamSchema>(
  schema: S,
  options: StreamOptions,
  handler: StreamHandler<S>,
): Subscription
export function subscription(
  schema: StreamSchema,
  ...rest: [Subscription['handler']] | [StreamOptions, Subscription['handler']]
): Subscription {
  const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest
  return { schema, options, handler }
}
