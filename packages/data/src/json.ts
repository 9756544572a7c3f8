import { DataError } from './data-error.ts'
import { readJson } from './lib/from-json.ts'
import { canStringify, jsonOf } from './lib/to-json.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import type { Value } from './value.ts'

/** What JSON can say. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/**
 * The JSON form of a value, as a copy: links become `{ "$link": … }`, bytes `{ "$bytes": … }`.
 * @throws {DataError} InvalidValue, naming the path, at something that the data model cannot hold; LimitExceeded when
 * it is nested too deep.
 * @see https://atproto.com/specs/data-model#json-representation
 */
export function toJson(value: Value): JsonValue {
  canStringify(value)
  return jsonOf(value)
}

/**
 * The JSON text of a value: what {@link toJson} says, without the copy where that can be saved.
 * @throws {DataError} as {@link toJson}.
 */
export function stringify(value: Value): string {
  return JSON.stringify(canStringify(value) ? value : jsonOf(value))
}

/**
 * The value that JSON stands for, as a copy. Strict: a map with `$link` or `$bytes` is exactly that, `$type` is a
 * non-empty string, `$type: "blob"` stands on a whole reference, and numbers are safe integers. (`1.0` is an integer
 * once JavaScript has read it.)
 * @throws {DataError} InvalidJson, naming the path; LimitExceeded.
 * @see https://atproto.com/specs/data-model#json-representation
 */
export function fromJson(json: unknown, limits?: Partial<Pick<Limits, 'maxDepth' | 'maxEntries'>>): Value {
  return readJson(json, { ...DEFAULT_LIMITS, ...limits })
}

/**
 * The value that JSON text stands for. Of keys that stand twice in an object, the last counts, as in all of JavaScript.
 * @throws {DataError} as {@link fromJson}, and InvalidJson when it is not JSON at all.
 */
export function parse(text: string, limits?: Partial<Pick<Limits, 'maxDepth' | 'maxEntries'>>): Value {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new DataError('InvalidJson', `not JSON: ${(cause as Error).message}`, { cause })
  }
  return fromJson(json, limits)
}
