import { Cid } from '../cid.ts'
import { DataError } from '../data-error.ts'
import type { JsonValue } from '../json.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { toBase64 } from '../multibase.ts'
import { isPlainObject, setOwn, type Value } from '../value.ts'
import { foreignName, isInteger, notAnInteger, type Path, showPath } from './path.ts'

/**
 * Whether `JSON.stringify` writes a value as it should be: always, but for byte strings. (A Cid knows its own form.)
 * @throws {DataError} InvalidValue or LimitExceeded, naming the path, when the data model cannot hold the value.
 */
export function canStringify(value: Value): boolean {
  return inspect(value, 0, [])
}

function inspect(value: unknown, depth: number, path: Path): boolean {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw refusal(path, depth, 'text with a lone surrogate')
    return true
  }
  if (typeof value === 'number') {
    if (!isInteger(value)) throw refusal(path, depth, notAnInteger(value))
    return true
  }
  if (typeof value === 'boolean' || value === null) return true
  if (typeof value !== 'object') throw refusal(path, depth, foreignName(value))
  if (value instanceof Cid) return true
  if (value instanceof Uint8Array) return false
  if (depth >= DEFAULT_LIMITS.maxDepth)
    throw new DataError(
      'LimitExceeded',
      `nested deeper than ${DEFAULT_LIMITS.maxDepth} levels at ${showPath(path, depth)}`,
    )
  let plain = true
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      path[depth] = i
      if (!inspect(value[i], depth + 1, path)) plain = false
    }
    return plain
  }
  if (!isPlainObject(value)) throw refusal(path, depth, foreignName(value))
  for (const key of Object.keys(value)) {
    path[depth] = key
    if (!key.isWellFormed()) throw refusal(path, depth + 1, 'a key with a lone surrogate')
    if (!inspect(value[key], depth + 1, path)) plain = false
  }
  return plain
}

/** The JSON form of a value that {@link canStringify} has seen. */
export function jsonOf(value: Value): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Cid) return value.toJSON()
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) }
  if (Array.isArray(value)) return value.map(jsonOf)
  const json: { [key: string]: JsonValue } = {}
  for (const key of Object.keys(value)) setOwn(json, key, jsonOf(value[key]!))
  return json
}

const refusal = (path: Path, depth: number, found: string): DataError =>
  new DataError('InvalidValue', `the data model cannot hold what is at ${showPath(path, depth)}: ${found}`)
