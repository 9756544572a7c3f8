import type { StringFormat } from '../document.ts'
import { pointerStep } from '../issue.ts'
import { nestedName, target } from './emit-types.ts'
import type { ArrayNode, Definition, Field, Node, ObjectNode, StringNode, UnionNode } from './ir.ts'
import type { ModuleScope } from './module-scope.ts'
import { access, inTemplate, quoted } from './names.ts'
import { wanted, wantedType, wantedVariant } from './wanted.ts'

const GUARDS: Readonly<Record<StringFormat, string>> = {
  'at-identifier': 'isAtIdentifier',
  'at-uri': 'isAtUri',
  cid: 'isCidString',
  datetime: 'isDatetimeIn',
  did: 'isDid',
  handle: 'isHandle',
  language: 'isLanguage',
  nsid: 'isNsid',
  'record-key': 'isRecordKey',
  tid: 'isTid',
  uri: 'isUri',
}

/** Writes the check functions of one module. Functions of nodes without a name of their own go to `hoisted`. */
export class CheckWriter {
  private readonly scope: ModuleScope
  readonly hoisted: string[] = []

  constructor(scope: ModuleScope) {
    this.scope = scope
  }

  /** The check function of a definition, under the name that its module gives it. */
  definition(definition: Definition): string {
    const { type, check } = this.scope.own(definition)
    const { node } = definition
    if (node.kind === 'token') throw new Error(`bug: the token ${definition.type} has no check`)
    if (node.kind === 'record')
      return this.exported(check, this.objectBody(node.object, type, definition.type))
    return this.exported(check, this.body(node, type))
  }

  /** The name of a function that checks a node: an existing one for a reference, otherwise one made now. */
  callable(node: Node, name: string): string {
    if (node.kind === 'ref') return this.scope.names(target(node)).check
    const check = this.scope.take(`check${name}`)
    this.hoisted.push(this.exported(check, this.body(node, name)))
    return check
  }

  /** An expression: the check of a scalar as an arrow function. */
  arrow(node: Node, name: string): string {
    const fail = this.use('fail')
    const bad = this.bad(node, 'v', 'v', name)
    return `(v${bad.includes(', m)') ? ', m' : ''}) => (${bad} ? ${fail}('', v, ${quoted(wanted(node))}) : undefined)`
  }

  private use(name: string): string {
    return this.scope.value(name)
  }

  private exported(check: string, lines: readonly string[]): string {
    const [issue, mode] = [this.scope.type('Issue'), this.scope.type('Mode')]
    const body = lines.map((line) => `  ${line}`).join('\n')
    return `export function ${check}(v: unknown, m: ${mode}): ${issue} | undefined {\n${body}\n}`
  }

  private body(node: Node, name: string): string[] {
    switch (node.kind) {
      case 'object':
        return this.objectBody(node, name)
      case 'union':
        return this.unionBody(node)
      case 'array': {
        const lines = this.arrayLines(node, 'v', 'v', '', name)
        return [
          ...(usesIssue(lines) ? [`let f: ${this.scope.type('Issue')} | undefined`] : []),
          ...lines,
          'return undefined',
        ]
      }
      case 'ref':
        return [`return ${this.callable(node, name)}(v, m)`]
      default:
        return [
          `return ${this.bad(node, 'v', 'v', name)} ? ${this.use('fail')}('', v, ${quoted(wanted(node))}) : undefined`,
        ]
    }
  }

  private objectBody(node: ObjectNode, name: string, recordType?: string): string[] {
    const first = `if (!${this.use('isMap')}(v)) return ${this.use('fail')}('', v, ${quoted(wanted(node))})`
    const type =
      recordType === undefined
        ? []
        : [
            `if (v.$type !== ${quoted(recordType)}) return fail('/$type', v.$type, ${quoted(wantedType(recordType))})`,
          ]
    const lines = node.fields.flatMap((field) => this.fieldLines(field, name))
    const locals = [
      ...(lines.some((line) => line.includes('x = ')) ? ['x: unknown'] : []),
      ...(usesIssue(lines) ? [`f: ${this.scope.type('Issue')} | undefined`] : []),
    ]
    return [
      first,
      ...type,
      ...(locals.length > 0 ? [`let ${locals.join(', ')}`] : []),
      ...lines,
      'return undefined',
    ]
  }

  private unionBody(node: UnionNode): string[] {
    const [isMap, fail] = [this.use('isMap'), this.use('fail')]
    const listed = quoted(wantedVariant(node))
    const other = node.closed
      ? `${fail}('/$type', v.$type, ${listed})`
      : `${this.use('unlistedVariant')}(v.$type, m, ${listed})`
    return [
      `if (!${isMap}(v)) return ${fail}('', v, ${quoted(wanted(node))})`,
      'switch (v.$type) {',
      ...node.variants.map(
        (variant) => `  case ${quoted(variant.ref)}: return ${this.scope.names(target(variant)).check}(v, m)`,
      ),
      `  default: return ${other}`,
      '}',
    ]
  }

  private fieldLines(field: Field, owner: string): string[] {
    const { node, required, nullable } = field
    const name = nestedName(owner, field.name)
    const path = pointerStep(field.name)
    const read = `x = ${this.read(field.name)}`
    const absent = nullable ? (required ? '!== null' : '!= null') : '!== undefined'
    const guard = required && !nullable ? '' : `(${read}) ${absent}`
    const first = guard === '' ? read : 'x'

    if (node.kind === 'array') {
      const lines = this.arrayLines(node, first, 'x', path, name)
      return guard === '' ? lines : [`if (${guard}) {`, ...lines.map((line) => `  ${line}`), '}']
    }
    if (isSimple(node)) {
      const bad = this.bad(node, first, 'x', name)
      const both = guard === '' ? bad : `${guard} && ${bad.includes(' || ') ? `(${bad})` : bad}`
      return [`if (${both}) return ${this.use('fail')}(${quoted(path)}, x, ${quoted(wanted(node))})`]
    }
    const check = this.callable(node, name)
    const subject = guard === '' ? this.read(field.name) : 'x'
    const call = `(f = ${check}(${subject}, m))`
    return [
      `if (${guard === '' ? call : `${guard} && ${call}`}) return ${this.use('under')}(${quoted(path)}, f)`,
    ]
  }

  private read(property: string): string {
    return property in Object.prototype ? `${this.use('own')}(v, ${quoted(property)})` : access('v', property)
  }

  /** Statements that return the issue with an array, or fall through. */
  private arrayLines(node: ArrayNode, first: string, later: string, path: string, name: string): string[] {
    const limits = [
      `!Array.isArray(${first})`,
      ...(node.minLength === undefined ? [] : [`${later}.length < ${node.minLength}`]),
      ...(node.maxLength === undefined ? [] : [`${later}.length > ${node.maxLength}`]),
    ]
    const itemPath = `\`${inTemplate(path)}/\${i}\``
    const loop = `for (let i = 0; i < ${later}.length; i++)`
    const item = `${later}[i]`
    const fail = this.use('fail')
    const each = isSimple(node.items)
      ? `if (${this.bad(node.items, item, item, name)}) return ${fail}(${itemPath}, ${item}, ${quoted(wanted(node.items))})`
      : `if ((f = ${this.callable(node.items, name)}(${item}, m))) return ${this.use('under')}(${itemPath}, f)`
    return [
      `if (${limits.join(' || ')}) return ${fail}(${quoted(path)}, ${later}, ${quoted(wanted(node))})`,
      `${loop} ${each}`,
    ]
  }

  /** The condition under which a simple value is invalid; `first` stands where the value is read first. */
  private bad(node: Node, first: string, later: string, name: string): string {
    switch (node.kind) {
      case 'boolean':
        return node.const === undefined
          ? `typeof ${operand(first)} !== 'boolean'`
          : `${operand(first)} !== ${node.const}`
      case 'integer': {
        const tests = [
          `!${this.use('isInteger')}(${[first, ...bounds(node.minimum, node.maximum)].join(', ')})`,
        ]
        if (node.values) tests.push(oneOf(node.values.map(String), later))
        return tests.join(' || ')
      }
      case 'string':
        return this.badString(node, first, later)
      case 'bytes':
        return `!${this.use('isBytes')}(${[first, ...bounds(node.minLength, node.maxLength, '0')].join(', ')})`
      case 'cid-link':
        return `!${this.use('isCid')}(${first})`
      case 'blob': {
        const limits = [node.accept && this.acceptConstant(node.accept, name), node.maxSize]
        while (limits.length > 0 && limits.at(-1) === undefined) limits.pop()
        return `!${this.use('isBlob')}(${[first, 'm', ...limits.map(String)].join(', ')})`
      }
      case 'unknown':
        return `!${this.use('isUnknown')}(${first})`
      default:
        throw new Error(`bug: ${node.kind} has no inline test`)
    }
  }

  private badString(node: StringNode, first: string, later: string): string {
    const tests: string[] = []
    if (node.format === undefined) tests.push(`typeof ${operand(first)} !== 'string'`)
    else tests.push(`!${this.use(GUARDS[node.format])}(${first}${node.format === 'datetime' ? ', m' : ''})`)
    const limits = {
      shorter: node.minLength,
      longer: node.maxLength,
      fewerGraphemes: node.minGraphemes,
      moreGraphemes: node.maxGraphemes,
    }
    for (const [helper, limit] of Object.entries(limits))
      if (limit !== undefined) tests.push(`${this.use(helper)}(${later}, ${limit})`)
    if (node.values) tests.push(oneOf(node.values.map(quoted), later))
    return tests.join(' || ')
  }

  /** Made once per module, because an array literal in the check would be made once per call. */
  private acceptConstant(accept: readonly string[], name: string): string {
    const constant = this.scope.take(`accept${name}`)
    this.hoisted.push(`const ${constant} = [${accept.map(quoted).join(', ')}]`)
    return constant
  }
}

/** An expression beside an operator: an assignment needs parentheses there, and none as an argument. */
function operand(expression: string): string {
  return expression.includes(' = ') ? `(${expression})` : expression
}

const COMPOUND: readonly Node['kind'][] = ['array', 'object', 'ref', 'union']

function isSimple(node: Node): boolean {
  return !COMPOUND.includes(node.kind)
}

function usesIssue(lines: readonly string[]): boolean {
  return lines.some((line) => line.includes('(f = '))
}

function oneOf(literals: readonly string[], value: string): string {
  return `(${literals.map((literal) => `${value} !== ${literal}`).join(' && ') || 'true'})`
}

function bounds(min: number | undefined, max: number | undefined, lowest = '-Infinity'): string[] {
  if (max !== undefined) return [min === undefined ? lowest : String(min), String(max)]
  return min === undefined ? [] : [String(min)]
}
