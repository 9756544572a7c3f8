import type { Nsid } from '@imago/syntax'

/**
 * A Lexicon schema document as parsed: what {@link parseLexiconDocument} has let through. Fields that the language does
 * not know are kept and ignored.
 * @see https://atproto.com/specs/lexicon
 */
export interface LexiconDocument {
  readonly lexicon: 1
  readonly id: Nsid
  readonly description?: string
  readonly defs: { readonly [name: string]: Definition }
}

/** What a name in `defs` may stand for. Primary types only as `main`. */
export type Definition = PrimaryDefinition | NamedDefinition
export type PrimaryDefinition =
  | RecordDefinition
  | QueryDefinition
  | ProcedureDefinition
  | SubscriptionDefinition
  | PermissionSetDefinition
export type NamedDefinition =
  | BooleanDefinition
  | IntegerDefinition
  | StringDefinition
  | BytesDefinition
  | LinkDefinition
  | BlobDefinition
  | ArrayDefinition
  | ObjectDefinition
  | TokenDefinition

/** What a property or an array item may be. */
export type FieldDefinition =
  | Exclude<NamedDefinition, TokenDefinition>
  | RefDefinition
  | UnionDefinition
  | UnknownDefinition

interface Described {
  readonly description?: string
}

export interface BooleanDefinition extends Described {
  readonly type: 'boolean'
  readonly default?: boolean
  readonly const?: boolean
}

/** `minimum` and `maximum` are inclusive. */
export interface IntegerDefinition extends Described {
  readonly type: 'integer'
  readonly minimum?: number
  readonly maximum?: number
  readonly enum?: readonly number[]
  readonly default?: number
  readonly const?: number
}

/** @see https://atproto.com/specs/lexicon#string-formats */
export type StringFormat =
  | 'at-identifier'
  | 'at-uri'
  | 'cid'
  | 'datetime'
  | 'did'
  | 'handle'
  | 'language'
  | 'nsid'
  | 'record-key'
  | 'tid'
  | 'uri'

/** Lengths count bytes of UTF-8; graphemes are extended grapheme clusters. */
export interface StringDefinition extends Described {
  readonly type: 'string'
  readonly format?: StringFormat
  readonly minLength?: number
  readonly maxLength?: number
  readonly minGraphemes?: number
  readonly maxGraphemes?: number
  /** All values that are allowed. */
  readonly enum?: readonly string[]
  /** Values that are expected; others are valid too. */
  readonly knownValues?: readonly string[]
  readonly default?: string
  readonly const?: string
}

export interface BytesDefinition extends Described {
  readonly type: 'bytes'
  readonly minLength?: number
  readonly maxLength?: number
}

export interface LinkDefinition extends Described {
  readonly type: 'cid-link'
}

export interface BlobDefinition extends Described {
  readonly type: 'blob'
  /** MIME types, `type/*` or `*`/`*`. */
  readonly accept?: readonly string[]
  /** Bytes. */
  readonly maxSize?: number
}

export interface ArrayDefinition extends Described {
  readonly type: 'array'
  readonly items: FieldDefinition
  readonly minLength?: number
  readonly maxLength?: number
}

export interface ObjectDefinition extends Described {
  readonly type: 'object'
  readonly properties?: { readonly [name: string]: FieldDefinition }
  readonly required?: readonly string[]
  readonly nullable?: readonly string[]
}

export interface TokenDefinition extends Described {
  readonly type: 'token'
}

export interface RefDefinition extends Described {
  readonly type: 'ref'
  /** `com.example.defs`, `com.example.defs#name` or `#name`. */
  readonly ref: string
}

export interface UnionDefinition extends Described {
  readonly type: 'union'
  readonly refs: readonly string[]
  readonly closed?: boolean
}

export interface UnknownDefinition extends Described {
  readonly type: 'unknown'
}

export interface RecordDefinition extends Described {
  readonly type: 'record'
  /** `tid`, `nsid`, `any` or `literal:<key>`. */
  readonly key: string
  readonly record: ObjectDefinition
}

export type ScalarParamDefinition = BooleanDefinition | IntegerDefinition | StringDefinition

/** A parameter of a method: a scalar, or an array of scalars. */
export type ParamDefinition =
  | ScalarParamDefinition
  | (Omit<ArrayDefinition, 'items'> & { readonly items: ScalarParamDefinition })

export interface ParamsDefinition extends Described {
  readonly type: 'params'
  readonly properties?: { readonly [name: string]: ParamDefinition }
  readonly required?: readonly string[]
}

export interface BodyDefinition extends Described {
  readonly encoding: string
  readonly schema?: ObjectDefinition | RefDefinition | UnionDefinition
}

export interface ErrorDefinition extends Described {
  readonly name: string
}

export interface QueryDefinition extends Described {
  readonly type: 'query'
  readonly parameters?: ParamsDefinition
  readonly output?: BodyDefinition
  readonly errors?: readonly ErrorDefinition[]
}

export interface ProcedureDefinition extends Described {
  readonly type: 'procedure'
  readonly parameters?: ParamsDefinition
  readonly input?: BodyDefinition
  readonly output?: BodyDefinition
  readonly errors?: readonly ErrorDefinition[]
}

export interface SubscriptionDefinition extends Described {
  readonly type: 'subscription'
  /** Name of the WebSocket subprotocol that messages are framed by. */
  readonly subprotocol?: string
  readonly parameters?: ParamsDefinition
  readonly message?: Described & { readonly schema: UnionDefinition }
  readonly errors?: readonly ErrorDefinition[]
}

/** @see https://atproto.com/specs/permission */
export interface PermissionSetDefinition extends Described {
  readonly type: 'permission-set'
  readonly title?: string
  /** By language tag. */
  readonly 'title:lang'?: { readonly [language: string]: string }
  readonly detail?: string
  readonly 'detail:lang'?: { readonly [language: string]: string }
  readonly permissions: readonly PermissionDefinition[]
}

/** A permission as written. What a resource does not know voids the permission, not the set. */
export interface PermissionDefinition extends Described {
  readonly type: 'permission'
  readonly resource: string
  readonly [parameter: string]: unknown
}
