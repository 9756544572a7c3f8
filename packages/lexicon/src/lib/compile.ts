import { isCid } from '@imago/data'
import { type Check, fail, type Issue, pointerStep, under } from '../issue.ts'
import { FORMATS } from './formats.ts'
import type {
  Definition,
  Field,
  Node,
  ObjectNode,
  RecordNode,
  StringNode,
  TokenNode,
  UnionNode,
} from './ir.ts'
import { fewerGraphemes, longer, moreGraphemes, shorter } from './text-length.ts'
import { isBlob, isBytes, isInteger, isMap, isUnknown, own, unlistedVariant } from './values.ts'
import { wanted, wantedType, wantedVariant } from './wanted.ts'

/** Makes the check of a node. Checks of definitions are made once, on first use. */
export interface Compiler {
  check(node: Node): Check
  definition(definition: Definition): Check
}

/** A compiler to closures: no text is evaluated as code, so that content security policies have nothing to refuse. */
export function createCompiler(): Compiler {
  const made = new Map<Definition, Check>()

  function definition(target: Definition): Check {
    const known = made.get(target)
    if (known) return known
    let compiled: Check | undefined
    const check: Check = (value, mode) => (compiled ??= compileDefinition(target))(value, mode)
    made.set(target, check)
    return check
  }

  function compileDefinition({ type, node }: Definition): Check {
    if (node.kind === 'record') return recordCheck(node, type)
    return node.kind === 'token' ? tokenCheck(node) : check(node)
  }

  function check(node: Node): Check {
    const words = wanted(node)
    switch (node.kind) {
      case 'boolean': {
        const only = node.const
        return (value) =>
          typeof value === 'boolean' && (only === undefined || value === only)
            ? undefined
            : fail('', value, words)
      }
      case 'integer': {
        const { minimum, maximum, values } = node
        return (value) =>
          isInteger(value, minimum, maximum) && (values === undefined || values.includes(value))
            ? undefined
            : fail('', value, words)
      }
      case 'string':
        return stringCheck(node)
      case 'bytes': {
        const { minLength, maxLength } = node
        return (value) => (isBytes(value, minLength, maxLength) ? undefined : fail('', value, words))
      }
      case 'cid-link':
        return (value) => (isCid(value) ? undefined : fail('', value, words))
      case 'blob': {
        const { accept, maxSize } = node
        return (value, mode) => (isBlob(value, mode, accept, maxSize) ? undefined : fail('', value, words))
      }
      case 'array': {
        const { minLength = 0, maxLength = Infinity } = node
        const item = check(node.items)
        return (value, mode) => {
          if (!Array.isArray(value) || value.length < minLength || value.length > maxLength)
            return fail('', value, words)
          for (let i = 0; i < value.length; i++) {
            const issue = item(value[i], mode)
            if (issue) return under(`/${i}`, issue)
          }
          return undefined
        }
      }
      case 'object':
        return objectCheck(node)
      case 'unknown':
        return (value) => (isUnknown(value) ? undefined : fail('', value, words))
      case 'ref': {
        const { target, ref } = node
        return target
          ? definition(target)
          : () => ({ path: '', message: `cannot be judged: no schema ${ref} is known` })
      }
      case 'union':
        return unionCheck(node)
    }
  }

  function objectCheck(node: ObjectNode): Check {
    const words = wanted(node)
    const fields = node.fields.map(fieldCheck)
    return (value, mode) => {
      if (!isMap(value)) return fail('', value, words)
      for (const field of fields) {
        const issue = field(value, mode)
        if (issue) return issue
      }
      return undefined
    }
  }

  function fieldCheck({ name, node, required, nullable }: Field) {
    const path = pointerStep(name)
    const judge = check(node)
    const read = name in Object.prototype ? own : (map: Record<string, unknown>) => map[name]
    return (map: Record<string, unknown>, mode: Parameters<Check>[1]): Issue | undefined => {
      const value = read(map, name)
      if ((value === undefined && !required) || (value === null && nullable)) return undefined
      const issue = judge(value, mode)
      return issue && under(path, issue)
    }
  }

  function recordCheck(node: RecordNode, type: string): Check {
    const object = objectCheck(node.object)
    return (value, mode) =>
      isMap(value) && value['$type'] !== type
        ? fail('/$type', value['$type'], wantedType(type))
        : object(value, mode)
  }

  function unionCheck(node: UnionNode): Check {
    const words = wanted(node)
    const listed = wantedVariant(node)
    const variants = new Map(node.variants.map((variant) => [variant.ref, check(variant)]))
    return (value, mode) => {
      if (!isMap(value)) return fail('', value, words)
      const type = value['$type']
      const variant = typeof type === 'string' ? variants.get(type) : undefined
      if (variant) return variant(value, mode)
      return node.closed ? fail('/$type', type, listed) : unlistedVariant(type, mode, listed)
    }
  }

  return { check, definition }
}

function stringCheck(node: StringNode): Check {
  const { format, minLength, maxLength, minGraphemes, maxGraphemes, values } = node
  const words = wanted(node)
  const isForm = format ? FORMATS[format] : isString
  const isOneOf = values && new Set(values)
  return (value, mode) =>
    isForm(value, mode) &&
    (minLength === undefined || !shorter(value, minLength)) &&
    (maxLength === undefined || !longer(value, maxLength)) &&
    (minGraphemes === undefined || !fewerGraphemes(value, minGraphemes)) &&
    (maxGraphemes === undefined || !moreGraphemes(value, maxGraphemes)) &&
    (isOneOf === undefined || isOneOf.has(value))
      ? undefined
      : fail('', value, words)
}

const isString = (value: unknown): value is string => typeof value === 'string'

function tokenCheck(_node: TokenNode): Check {
  return (value) => fail('', value, 'nothing: a token is only a name, and has no values')
}
