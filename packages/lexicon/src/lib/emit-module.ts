import { CheckWriter } from './emit-checks.ts'
import { declaration, objectType, paramsType, typeOf, unionType } from './emit-types.ts'
import type { BodyNode, Definition, Method, ParamNode } from './ir.ts'
import { createModuleScope, type DefinitionNames, type ModuleScope, takenNames } from './module-scope.ts'
import { createNameScope, pascalCase, propertyName, quoted, RESERVED_WORDS } from './names.ts'
import type { Resolver } from './resolve.ts'

/** Types that a method's module exports beside those of its definitions. */
const METHOD_TYPE_NAMES = ['Params', 'Input', 'Output', 'Message']
const METHOD_CHECK_NAMES = ['checkInput', 'checkOutput', 'checkMessage']

/** What every definition of a document is called in its module, by the definition's name. */
export function definitionNames(nsid: string, resolver: Resolver): ReadonlyMap<string, DefinitionNames> {
  const isMethod = resolver.method(nsid) !== undefined
  const scope = createNameScope([
    ...takenNames(),
    ...(isMethod ? [...METHOD_TYPE_NAMES, ...METHOD_CHECK_NAMES, 'main'] : []),
  ])
  return new Map(
    resolver.definitionsOf(nsid).map(({ name }) => {
      const pascal = pascalCase(name)
      return [
        name,
        {
          type: scope.take(pascal, 'Def'),
          check: scope.take(`check${pascal}`),
          constant: scope.take(
            /^[A-Za-z][A-Za-z0-9]*$/.test(name) ? name : pascal.charAt(0).toLowerCase() + pascal.slice(1),
          ),
        },
      ]
    }),
  )
}

/** The module of one document, and what it exports under names that a sub-namespace could take too. */
export interface ModuleText {
  readonly text: string
  readonly exports: readonly string[]
}

/** @param header the first line. */
export function emitModule(
  nsid: string,
  resolver: Resolver,
  namesOf: (nsid: string) => ReadonlyMap<string, DefinitionNames>,
  specifierOf: (nsid: string) => string,
  header: string,
): ModuleText {
  const scope = createModuleScope(nsid, namesOf, specifierOf)
  const writer = new CheckWriter(scope)
  const method = resolver.method(nsid)
  const blocks = [
    ...(method ? methodBlocks(method, scope, writer) : []),
    ...resolver.definitionsOf(nsid).flatMap((definition) => definitionBlocks(definition, scope, writer)),
  ]
  const exports = [...(method ? ['main'] : []), ...namesOf(nsid).keys()]
  return {
    text: `${[header, ...[scope.imports().join('\n')].filter((text) => text !== ''), ...blocks].join('\n\n')}\n`,
    exports,
  }
}

function definitionBlocks(definition: Definition, scope: ModuleScope, writer: CheckWriter): string[] {
  const { node, name, type: $type } = definition
  const names = scope.own(definition)
  const exported = names.constant === name ? `export const ${name}` : `const ${names.constant}`
  const alias = names.constant === name ? [] : [`export { ${names.constant} as ${exportName(name)} }`]

  if (node.kind === 'token')
    return [
      [
        `export type ${names.type} = ${quoted($type)}`,
        `${exported}: ${names.type} = ${quoted($type)}`,
        ...alias,
      ].join('\n'),
    ]

  const hoisted: string[] = []
  const types = declaredType(definition, names.type, scope, hoisted)
  const check = writer.definition(definition)
  const constant =
    node.kind === 'record'
      ? `${exported}: ${scope.type('RecordSchema')}<${names.type}> = /*#__PURE__*/ ${scope.value('record')}(${quoted($type)}, ${quoted(node.keyRule)}, ${names.check})`
      : `${exported}: ${scope.type('Schema')}<${names.type}> = /*#__PURE__*/ ${scope.value('schema')}(${names.check}, ${quoted($type)})`
  return [types, ...hoisted, ...writer.hoisted.splice(0), check, [constant, ...alias].join('\n')]
}

function declaredType(
  { node, type: $type }: Definition,
  name: string,
  scope: ModuleScope,
  hoisted: string[],
): string {
  if (node.kind === 'record')
    return `export type ${name} = ${objectType(node.object, name, scope, hoisted, `$type: ${quoted($type)}`)}`
  if (node.kind === 'object')
    return `export type ${name} = ${objectType(node, name, scope, hoisted, `$type?: ${quoted($type)}`)}`
  if (node.kind === 'token') throw new Error(`bug: the token ${$type} has no values`)
  return declaration(name, typeOf(node, `${name}Item`, scope, hoisted))
}

/** Names that are not identifiers are exported as strings; reserved words need no quotes. */
function exportName(name: string): string {
  return RESERVED_WORDS.includes(name) ? name : propertyName(name)
}

function methodBlocks(method: Method, scope: ModuleScope, writer: CheckWriter): string[] {
  const types: string[] = [`export type Params = ${paramsType(method.params, scope)}`]
  const parts: string[] = [`  nsid: ${quoted(method.nsid)},`]
  const typeArguments = ['Params']

  if (method.params.length > 0)
    parts.push('  params: {', ...method.params.map((param) => `    ${paramLine(param, writer)}`), '  },')

  if (method.message) {
    types.push(declaration('Message', unionType(method.message, scope)))
    parts.push(`  message: ${writer.callable(method.message, 'Message')},`)
    if (method.subprotocol !== undefined) parts.push(`  subprotocol: ${quoted(method.subprotocol)},`)
    typeArguments.push('Message')
  } else {
    const sides = method.kind === 'procedure' ? (['Input', 'Output'] as const) : (['Output'] as const)
    for (const side of sides) {
      const body = side === 'Input' ? method.input : method.output
      types.push(...bodyType(body, side, scope))
      if (body) parts.push(`  ${side.toLowerCase()}: ${bodyParts(body, side, writer)},`)
      typeArguments.push(side)
    }
  }

  const defaulted = method.params
    .filter((param) => param.default !== undefined)
    .map((param) => quoted(param.name))
  if (defaulted.length > 0) typeArguments.push(`${scope.type('Given')}<Params, ${defaulted.join(' | ')}>`)
  else if (method.errors.length > 0) typeArguments.push('Params')
  if (method.errors.length > 0) typeArguments.push(method.errors.map(quoted).join(' | '))
  if (method.errors.length > 0) parts.push(`  errors: [${method.errors.map(quoted).join(', ')}],`)

  const schemaType = scope.type(`${pascalCase(method.kind)}Schema`)
  const main = [
    `export const main: ${schemaType}<${typeArguments.join(', ')}> = /*#__PURE__*/ ${scope.value(method.kind)}({`,
    ...parts,
    '})',
  ].join('\n')
  return [...types, ...writer.hoisted.splice(0), main]
}

function paramLine(
  { name, node, required, repeated, default: value }: ParamNode,
  writer: CheckWriter,
): string {
  const parts = [
    `type: ${quoted(node.kind)}`,
    `check: ${writer.arrow(node, `Params${pascalCase(name)}`)}`,
    ...(required ? ['required: true'] : []),
    ...(value === undefined ? [] : [`default: ${typeof value === 'string' ? quoted(value) : value}`]),
    ...(repeated ? [`repeated: ${JSON.stringify(repeated)}`] : []),
  ]
  return `${propertyName(name)}: { ${parts.join(', ')} },`
}

const JSON_TYPE = 'application/json'

/** A body without a schema is any JSON object, or a stream; a method without a body has `undefined`. */
function bodyType(body: BodyNode | undefined, name: string, scope: ModuleScope): string[] {
  if (!body) return [`export type ${name} = undefined`]
  if (!body.schema)
    return [`export type ${name} = ${scope.type(body.encoding === JSON_TYPE ? 'DataMap' : 'RawBody')}`]
  const hoisted: string[] = []
  if (body.schema.kind === 'object')
    return [`export type ${name} = ${objectType(body.schema, name, scope, hoisted)}`, ...hoisted]
  return [`export type ${name} = ${typeOf(body.schema, name, scope, hoisted)}`]
}

function bodyParts(body: BodyNode, name: string, writer: CheckWriter): string {
  const encoding = `encoding: ${quoted(body.encoding)}`
  return body.schema ? `{ ${encoding}, check: ${writer.callable(body.schema, name)} }` : `{ ${encoding} }`
}
