/**
 * A pattern that a string has to match as a whole, written as a template: patterns in it count without their own
 * anchors, and text as it is, so that text must not hold what patterns give a meaning.
 */
export function whole({ raw }: TemplateStringsArray, ...parts: readonly (RegExp | string)[]): RegExp {
  return new RegExp(`^${String.raw({ raw }, ...parts.map(unanchored))}$`)
}

const unanchored = (part: RegExp | string): string =>
  typeof part === 'string' ? part : part.source.replace(/^\^|\$$/g, '')

/**
 * The same pattern with no upper bound on repetitions, for strings too short to exceed one: counting doubles the time
 * that a match takes.
 */
export function uncounted({ source }: RegExp): RegExp {
  return new RegExp(source.replace(/\{0,\d+\}/g, '*').replace(/\{1,\d+\}/g, '+'))
}
