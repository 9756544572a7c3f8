/**
 * A copy of a map with its own keys only, in DAG-CBOR order (shorter first, then bytewise) and without a prototype.
 * `__proto__` and `constructor` are ordinary names in it. Engines still list integer-like names first, as the public
 * directory's answers do; encoders sort by bytes and are not fooled.
 */
export function canonicalMap<From, To>(
  map: Readonly<Record<string, From>>,
  convert: (member: From) => To,
): Readonly<Record<string, To>> {
  const result: Record<string, To> = Object.create(null)
  const keys = Object.keys(map)
  if (keys.length > 1) keys.sort(compareKeys)
  for (const key of keys) result[key] = convert(map[key]!)
  return result
}

const utf8 = new TextEncoder()

function compareKeys(a: string, b: string): number {
  const left = utf8.encode(a)
  const right = utf8.encode(b)
  if (left.length !== right.length) return left.length - right.length
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return left[i]! - right[i]!
  return 0
}
