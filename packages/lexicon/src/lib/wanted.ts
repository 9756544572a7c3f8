import type { StringFormat } from '../document.ts'
import type { ArrayNode, BlobNode, BytesNode, IntegerNode, Node, StringNode, UnionNode } from './ir.ts'

const FORMAT_NAMES: Readonly<Record<StringFormat, string>> = {
  'at-identifier': 'a DID or handle',
  'at-uri': 'an AT-URI',
  cid: 'a CID',
  datetime: 'a datetime such as 2024-02-29T12:00:00.000Z',
  did: 'a DID',
  handle: 'a handle',
  language: 'a language tag',
  nsid: 'an NSID',
  'record-key': 'a record key',
  tid: 'a TID',
  uri: 'a URI',
}

/** What a node asks for, in words that complete "must be …". The same words at run time and in generated code. */
export function wanted(node: Node): string {
  switch (node.kind) {
    case 'boolean':
      return node.const === undefined ? 'a boolean' : String(node.const)
    case 'integer':
      return wantedInteger(node)
    case 'string':
      return wantedString(node)
    case 'bytes':
      return wantedLength(node, 'bytes', ' bytes')
    case 'cid-link':
      return 'a link (CID)'
    case 'blob':
      return wantedBlob(node)
    case 'array':
      return wantedArray(node)
    case 'object':
    case 'ref':
      return 'an object'
    case 'union':
      return 'an object with a $type'
    case 'unknown':
      return 'an object, and not a blob'
  }
}

/** What `$type` may say in a union. */
export function wantedVariant(node: UnionNode): string {
  return node.variants.length === 0
    ? 'listed in the union'
    : choice(node.variants.map((variant) => variant.ref))
}

/** What `$type` must say in a record. */
export function wantedType(type: string): string {
  return JSON.stringify(type)
}

function wantedInteger({ values, minimum, maximum }: IntegerNode): string {
  if (values) return choice(values)
  if (minimum !== undefined && maximum !== undefined) return `an integer from ${minimum} to ${maximum}`
  if (minimum !== undefined) return `an integer of at least ${minimum}`
  return maximum === undefined ? 'an integer' : `an integer of at most ${maximum}`
}

function wantedString(node: StringNode): string {
  if (node.values) return choice(node.values)
  const name = node.format ? FORMAT_NAMES[node.format] : 'a string'
  const bytes = range(node.minLength, node.maxLength, 'bytes')
  const graphemes = range(node.minGraphemes, node.maxGraphemes, 'graphemes')
  const limits = [bytes, graphemes].filter((limit) => limit !== '')
  return limits.length === 0 ? name : `${name} of ${limits.join(' and ')}`
}

function wantedLength({ minLength, maxLength }: BytesNode, name: string, unit: string): string {
  const limit = range(minLength, maxLength, '')
  return limit === '' ? name : limit.trimEnd() + unit
}

function wantedArray({ minLength, maxLength }: ArrayNode): string {
  const limit = range(minLength, maxLength, 'items')
  return limit === '' ? 'an array' : `an array of ${limit}`
}

function wantedBlob({ accept, maxSize }: BlobNode): string {
  const type = accept && !accept.includes('*/*') ? ` of type ${accept.join(' or ')}` : ''
  const size = maxSize === undefined ? '' : ` of at most ${maxSize} bytes`
  return `a blob${type}${size}`
}

/** A count within bounds: `at most 3 items`; empty without bounds. */
export function range(min: number | undefined, max: number | undefined, unit: string): string {
  if (min === undefined && max === undefined) return ''
  if (min === undefined) return `at most ${max} ${unit}`
  if (max === undefined) return `at least ${min} ${unit}`
  return min === max ? `exactly ${min} ${unit}` : `${min} to ${max} ${unit}`
}

function choice(values: readonly (string | number)[]): string {
  const texts = values.map((value) => JSON.stringify(value))
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`
}
