/** Keys and indexes from the root of a value to the part at hand; what stands past its depth is stale. */
export type Path = (string | number)[]

const LONGEST_SHOWN = 32

/** A path as messages show it: `/langs/0`. */
export const showPath = (path: Path, depth: number): string =>
  `/${path.slice(0, Math.min(depth, LONGEST_SHOWN)).join('/')}`

/** What something is that the data model does not know, as messages call it. */
export function foreignName(value: unknown): string {
  if (value === undefined) return 'undefined (leave the key out, or say null)'
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`
  return `an instance of ${value.constructor?.name ?? 'some class'}`
}

/** Whether a number is one that the data model can hold. */
export const isInteger = (value: number): boolean =>
  Number.isSafeInteger(value) && (value !== 0 || 1 / value > 0)

/** What a number is that {@link isInteger} refuses, as messages call it. */
export const notAnInteger = (value: number): string =>
  `${Object.is(value, -0) ? '-0' : value}, which is not an integer of at most 53 bits, or is -0`
