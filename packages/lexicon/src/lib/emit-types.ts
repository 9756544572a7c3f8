import type { StringFormat } from '../document.ts'
import type { Definition, Node, ObjectNode, ParamNode, UnionNode } from './ir.ts'
import type { ModuleScope } from './module-scope.ts'
import { pascalCase, propertyName, quoted } from './names.ts'

const FORMAT_TYPES: Readonly<Record<StringFormat, string>> = {
  'at-identifier': 'AtIdentifier',
  'at-uri': 'AtUri',
  cid: 'CidString',
  datetime: 'Datetime',
  did: 'Did',
  handle: 'Handle',
  language: 'Language',
  nsid: 'Nsid',
  'record-key': 'RecordKey',
  tid: 'Tid',
  uri: 'Uri',
}

/**
 * The type of a node. Objects inside others get a name of their own, from where they stand (`name` + property), whose
 * declaration goes to `hoisted`.
 */
export function typeOf(node: Node, name: string, scope: ModuleScope, hoisted: string[]): string {
  switch (node.kind) {
    case 'boolean':
      return node.const === undefined ? 'boolean' : String(node.const)
    case 'integer':
      return node.values ? node.values.join(' | ') : 'number'
    case 'string': {
      if (node.values) return node.values.map(quoted).join(' | ')
      const base = node.format ? scope.type(FORMAT_TYPES[node.format]) : 'string'
      if (!node.knownValues?.length) return base
      return [...node.knownValues.map(quoted), `(${base} & {})`].join(' | ')
    }
    case 'bytes':
      return 'Uint8Array'
    case 'cid-link':
      return scope.type('Cid')
    case 'blob':
      return scope.type('BlobRef')
    case 'array': {
      const item = typeOf(node.items, name, scope, hoisted)
      return item.includes(' | ') ? `(${item})[]` : `${item}[]`
    }
    case 'object':
      hoisted.push(declaration(name, objectType(node, name, scope, hoisted)))
      return name
    case 'unknown':
      return scope.type('DataMap')
    case 'ref':
      return scope.names(target(node)).type
    case 'union':
      return unionType(node, scope)
  }
}

/** The type of an object as a literal, over several lines. `$type` is a first line that says what the values carry. */
export function objectType(
  node: ObjectNode,
  name: string,
  scope: ModuleScope,
  hoisted: string[],
  $type?: string,
): string {
  const lines = node.fields.map((field) => {
    const type = typeOf(field.node, nestedName(name, field.name), scope, hoisted)
    return `  ${propertyName(field.name)}${field.required ? '' : '?'}: ${type}${field.nullable ? ' | null' : ''}`
  })
  const all = $type === undefined ? lines : [`  ${$type}`, ...lines]
  return all.length === 0 ? 'Record<string, never>' : `{\n${all.join('\n')}\n}`
}

/** The name of an object inside another: stable, because it follows from where it stands. */
export function nestedName(name: string, property: string): string {
  return name + pascalCase(property)
}

export function unionType(node: UnionNode, scope: ModuleScope): string {
  const variants = node.variants.map(
    (variant) => `${scope.type('Typed')}<${scope.names(target(variant)).type}>`,
  )
  const all = node.closed ? variants : [...variants, scope.type('UnknownVariant')]
  return all.length === 0 ? 'never' : all.join(' | ')
}

const MAX_LINE = 110

/** A type's declaration, a long union with one member a line. */
export function declaration(name: string, type: string): string {
  const line = `export type ${name} = ${type}`
  if (line.length <= MAX_LINE || type.startsWith('{')) return line
  return `export type ${name} =\n${type
    .split(' | ')
    .map((member) => `  | ${member}`)
    .join('\n')}`
}

/** Parameters as a method sees them: those with a default are always there. */
export function paramsType(params: readonly ParamNode[], scope: ModuleScope): string {
  const lines = params.map((param) => {
    const type = typeOf(param.node, '', scope, [])
    const sure = param.required || param.default !== undefined
    return `  ${propertyName(param.name)}${sure ? '' : '?'}: ${param.repeated ? (type.includes(' | ') ? `(${type})[]` : `${type}[]`) : type}`
  })
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n}`
}

/** The generator refuses catalogs with unresolved references before it emits anything. */
export function target(ref: { readonly ref: string; readonly target: Definition | undefined }): Definition {
  if (!ref.target) throw new Error(`bug: ${ref.ref} was not resolved`)
  return ref.target
}
