import type {
  Body,
  ParamsSchema,
  ProcedureSchema,
  QuerySchema,
  RawBody,
  SubscriptionSchema,
  UnknownVariant,
} from '@imago/lexicon'

// biome-ignore lint/suspicious/noExplicitAny: a bound for inference; the variance of schemas rules `unknown` out
type Any = any

/** A method that is called over HTTP. */
export type HttpSchema = QuerySchema<Any, Any, Any> | ProcedureSchema<Any, Any, Any, Any>

/** A method that is a stream. */
export type StreamSchema = SubscriptionSchema<Any, Any, Any>

/** Decoded parameters of a method, with defaults filled in. */
export type ParamsOf<S> = S extends { readonly params: ParamsSchema<infer P, Any> } ? P : never

/** Parameters as a caller gives them: those with a default may be left out. */
export type GivenParamsOf<S> = S extends { readonly params: ParamsSchema<Any, infer G> } ? G : never

/** Input of a procedure in the data model, {@link RawBody} where it is not JSON, `undefined` where there is none. */
export type InputOf<S> = S extends { readonly type: 'procedure'; readonly input?: Body<infer I> }
  ? I
  : undefined

/** Output of a method in the data model, {@link RawBody} where it is not JSON, `undefined` where there is none. */
export type OutputOf<S> = S extends { readonly output?: Body<infer O> } ? O : undefined

/** One message of a stream, `$type` included. */
export type MessageOf<S> = S extends SubscriptionSchema<Any, infer M, Any> ? M : never

/** The messages that the schema of a stream lists, without what an open union leaves to later versions. */
export type ListedMessageOf<S> = Exclude<MessageOf<S>, UnknownVariant>

/** Names of the errors that a schema declares, where its type keeps them. */
export type ErrorNameOf<S> = S extends { readonly errors: readonly (infer Name extends string)[] }
  ? Name
  : string

/** `Then` for raw bodies, else `Otherwise`; `any` and `unknown` are bodies of unknown kind, and stay themselves. */
export type IfRaw<T, Then, Otherwise = T> = unknown extends T
  ? Then | Otherwise
  : [T] extends [RawBody]
    ? Then
    : Otherwise
