import { type Check, fail, type Issue, pointerStep, type Result, under } from '../issue.ts'
import { LexiconError } from '../lexicon-error.ts'
import type { ParamsSchema } from '../schema.ts'
import { range } from './wanted.ts'

/** One parameter of a method, and how its text is read. */
export interface Param {
  readonly type: 'boolean' | 'integer' | 'string'
  /** Judges one value: of a repeated parameter, each. */
  readonly check: Check
  readonly required?: boolean
  /** Scalars only. */
  readonly default?: boolean | number | string
  /** An array in the typed form, and one occurrence per item in the query string. */
  readonly repeated?: { readonly minLength?: number; readonly maxLength?: number }
}

const INTEGER = /^-?\d+$/

/** The parameters of a method from a table by name. */
export function params<P, G = P>(table: { readonly [name: string]: Param }): ParamsSchema<P, G> {
  const entries = Object.entries(table)

  return {
    decode(query): Result<P> {
      const values: Record<string, unknown> = {}
      for (const [name, param] of entries) {
        const given = query.getAll(name).filter((text) => text !== '')
        if (given.length === 0) {
          if (param.default !== undefined) values[name] = param.default
          else if (param.required) return { ok: false, issue: missing(name, param) }
          continue
        }
        if (!param.repeated && given.length > 1)
          return {
            ok: false,
            issue: {
              path: pointerStep(name),
              message: `is given ${given.length} times, but takes one value`,
            },
          }
        const typed = given.map((text) => fromText(text, param.type))
        const value = param.repeated ? typed : typed[0]
        const issue = checkParam(name, param, value)
        if (issue) return { ok: false, issue }
        values[name] = value
      }
      return { ok: true, value: values as P }
    },

    encode(given) {
      const query = new URLSearchParams()
      for (const [name, param] of entries) {
        const value = (given as Record<string, unknown> | undefined)?.[name] ?? param.default
        const issue =
          value !== undefined
            ? checkParam(name, param, value)
            : param.required
              ? missing(name, param)
              : undefined
        if (issue) throw new LexiconError('InvalidValue', 'parameters', [issue])
        if (Array.isArray(value)) for (const item of value) query.append(name, String(item))
        else if (value !== undefined) query.append(name, String(value))
      }
      return query
    },
  }
}

/** Text that does not read as its type stays text, for the check to refuse. */
function fromText(text: string, type: Param['type']): unknown {
  // Adding 0 turns the zero that "-0" reads as into the one that the data model has.
  if (type === 'integer') return INTEGER.test(text) ? Number(text) + 0 : text
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return text
}

function checkParam(name: string, param: Param, value: unknown): Issue | undefined {
  if (!param.repeated) {
    const issue = param.check(value, 'strict')
    return issue && under(pointerStep(name), issue)
  }
  if (!Array.isArray(value)) return fail(pointerStep(name), value, 'an array')
  const { minLength = 0, maxLength = Infinity } = param.repeated
  if (value.length < minLength || value.length > maxLength)
    return fail(
      pointerStep(name),
      value,
      `an array of ${range(param.repeated.minLength, param.repeated.maxLength, 'items')}`,
    )
  for (const [index, item] of value.entries()) {
    const issue = param.check(item, 'strict')
    if (issue) return under(`${pointerStep(name)}/${index}`, issue)
  }
  return undefined
}

/** The check words what is missing; a repeated parameter lacks its first item. */
function missing(name: string, param: Param): Issue {
  return under(pointerStep(name), param.check(undefined, 'strict') ?? fail('', undefined, 'given'))
}
