import { DEFAULT_LIMITS, isCid, stringify, type Value } from '@imago/data'

/**
 * The JSON text of a method's input or output. Keys that are `undefined` are left out: optional fields are written that
 * way, while the data model, where a key stands or does not, refuses them.
 * @throws {DataError} for what the data model cannot hold.
 */
export function wireJson(value: unknown): string {
  return stringify(withoutUndefined(value, 0) as Value)
}

/** The value itself where nothing has to go; otherwise copies of the containers on the way to what had to. */
function withoutUndefined(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  // Nested too deep, as a cycle is: it is refused whatever lies further down.
  if (depth >= DEFAULT_LIMITS.maxDepth) return value
  if (Array.isArray(value)) return itemsWithoutUndefined(value, depth)
  if (value instanceof Uint8Array || isCid(value)) return value
  const map = value as Record<string, unknown>
  let copy: Record<string, unknown> | undefined
  for (const key in map) {
    const before = map[key]
    const after = withoutUndefined(before, depth + 1)
    if (after === before && before !== undefined) continue
    copy ??= { ...map }
    if (after === undefined) delete copy[key]
    else copy[key] = after
  }
  return copy ?? value
}

/** An `undefined` item stays, to be refused: leaving it out would move the others. */
function itemsWithoutUndefined(items: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let at = 0; at < items.length; at++) {
    const after = withoutUndefined(items[at], depth + 1)
    if (after === items[at]) continue
    copy ??= [...items]
    copy[at] = after
  }
  return copy ?? items
}
