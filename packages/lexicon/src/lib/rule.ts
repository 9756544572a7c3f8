import { fail, type Issue, pointerStep } from '../issue.ts'
import { isMap } from './values.ts'

/** Judges one place of a schema document, and reports every fault it finds there. */
export type Rule = (value: unknown, path: string, report: (issue: Issue) => void) => void

/** A value that passes a test. */
export function is(test: (value: unknown) => boolean, wanted: string): Rule {
  return (value, path, report) => {
    if (!test(value)) report(fail(path, value, wanted))
  }
}

/** A JSON array whose items all keep a rule. */
export function listOf(item: Rule, minLength = 0): Rule {
  return (value, path, report) => {
    if (!Array.isArray(value)) return report(fail(path, value, 'an array'))
    if (value.length < minLength) return report(fail(path, value, `an array of at least ${minLength} items`))
    for (const [index, each] of value.entries()) item(each, `${path}/${index}`, report)
  }
}

/** A JSON object whose keys pass a test and whose values all keep a rule, which may depend on the key. */
export function mapOf(key: Rule, value: (key: string) => Rule): Rule {
  return (map, path, report) => {
    if (!isMap(map)) return report(fail(path, map, 'an object'))
    for (const [name, each] of Object.entries(map)) {
      const place = path + pointerStep(name)
      key(name, place, report)
      value(name)(each, place, report)
    }
  }
}

/** Fields of an object. Those that no rule names are let through: the language grows by new fields. */
export function shape(
  required: { readonly [field: string]: Rule },
  optional: { readonly [field: string]: Rule } = {},
  together: Rule = () => {},
): Rule {
  const mandatory = Object.entries(required)
  const possible = Object.entries(optional)
  return (value, path, report) => {
    if (!isMap(value)) return report(fail(path, value, 'an object'))
    let faults = 0
    const count = (issue: Issue) => {
      faults++
      report(issue)
    }
    for (const [field, rule] of mandatory) rule(value[field], path + pointerStep(field), count)
    for (const [field, rule] of possible)
      if (value[field] !== undefined) rule(value[field], path + pointerStep(field), count)
    // Rules about several fields take it that each is sound by itself.
    if (faults === 0) together(value, path, report)
  }
}

/** One rule after the other, all reported. */
export function all(...rules: readonly Rule[]): Rule {
  return (value, path, report) => {
    for (const rule of rules) rule(value, path, report)
  }
}

/** An object whose `type` says which rule it must keep. */
export function byType(rules: { readonly [type: string]: Rule }, wanted: string): Rule {
  return (value, path, report) => {
    if (!isMap(value)) return report(fail(path, value, 'an object'))
    const { type } = value
    const rule = typeof type === 'string' && Object.hasOwn(rules, type) ? rules[type] : undefined
    if (rule) rule(value, path, report)
    else report(fail(`${path}/type`, type, wanted))
  }
}
