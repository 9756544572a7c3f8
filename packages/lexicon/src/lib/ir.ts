import type { Nsid } from '@imago/syntax'
import type { StringFormat } from '../document.ts'

/**
 * Schema documents with every reference resolved: the one form that both the run-time validators and the generated
 * TypeScript are made from.
 */
export type Node =
  | BooleanNode
  | IntegerNode
  | StringNode
  | BytesNode
  | LinkNode
  | BlobNode
  | ArrayNode
  | ObjectNode
  | UnknownNode
  | RefNode
  | UnionNode

export interface BooleanNode {
  readonly kind: 'boolean'
  readonly const?: boolean
}

/** Bounds are inclusive. */
export interface IntegerNode {
  readonly kind: 'integer'
  readonly minimum?: number
  readonly maximum?: number
  /** All values allowed, also where the document says `const`. */
  readonly values?: readonly number[]
}

export interface StringNode {
  readonly kind: 'string'
  readonly format?: StringFormat
  readonly minLength?: number
  readonly maxLength?: number
  readonly minGraphemes?: number
  readonly maxGraphemes?: number
  /** All values allowed, also where the document says `const`. */
  readonly values?: readonly string[]
  readonly knownValues?: readonly string[]
}

export interface BytesNode {
  readonly kind: 'bytes'
  readonly minLength?: number
  readonly maxLength?: number
}

export interface LinkNode {
  readonly kind: 'cid-link'
}

export interface BlobNode {
  readonly kind: 'blob'
  readonly accept?: readonly string[]
  readonly maxSize?: number
}

export interface ArrayNode {
  readonly kind: 'array'
  readonly items: Node
  readonly minLength?: number
  readonly maxLength?: number
}

export interface Field {
  readonly name: string
  readonly node: Node
  readonly required: boolean
  readonly nullable: boolean
}

export interface ObjectNode {
  readonly kind: 'object'
  readonly fields: readonly Field[]
}

export interface UnknownNode {
  readonly kind: 'unknown'
}

/** `target` is absent where the catalog lacks it, or where it is nothing that a reference may lead to. */
export interface RefNode {
  readonly kind: 'ref'
  /** Absolute, without `#main`. */
  readonly ref: string
  readonly target: Definition | undefined
}

export interface UnionNode {
  readonly kind: 'union'
  readonly variants: readonly RefNode[]
  readonly closed: boolean
}

export interface RecordNode {
  readonly kind: 'record'
  readonly keyRule: string
  readonly object: ObjectNode
}

export interface TokenNode {
  readonly kind: 'token'
}

/** A name of a document that values, or other documents, can refer to. */
export interface Definition {
  /** As in `$type`: `nsid` for main, otherwise `nsid#name`. */
  readonly type: string
  readonly nsid: Nsid
  readonly name: string
  /** Made on first use, because definitions refer to each other in circles. */
  readonly node: Node | RecordNode | TokenNode
}

export interface ParamNode {
  readonly name: string
  readonly node: BooleanNode | IntegerNode | StringNode
  readonly required: boolean
  readonly default?: boolean | number | string
  readonly repeated?: { readonly minLength?: number; readonly maxLength?: number }
}

export interface BodyNode {
  readonly encoding: string
  readonly schema?: ObjectNode | RefNode | UnionNode
}

export interface Method {
  readonly kind: 'query' | 'procedure' | 'subscription'
  readonly nsid: Nsid
  readonly params: readonly ParamNode[]
  readonly input?: BodyNode
  readonly output?: BodyNode
  readonly message?: UnionNode
  readonly subprotocol?: string
  readonly errors: readonly string[]
}
