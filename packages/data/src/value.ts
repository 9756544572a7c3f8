import type { Cid } from './cid.ts'

/**
 * Anything that the data model can hold. Numbers are safe integers (and never −0), strings are well-formed Unicode,
 * objects are plain. Absent is not `undefined`: leave the key out.
 * @see https://atproto.com/specs/data-model#data-types
 */
export type Value = null | boolean | number | string | Uint8Array | Cid | Value[] | DataMap

/** A map of the data model: what every record, commit and MST node is. */
export type DataMap = { [key: string]: Value }

/** Whether an object is plain: a map, and no instance of anything. Its contents are not looked at. */
export function isPlainObject(value: object): value is { [key: string]: unknown } {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Whether a value of the data model is a map, which every record must be. */
export function isDataMap(value: unknown): value is DataMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isPlainObject(value)
}

/**
 * Gives a map a key. Assignment would do, but for `__proto__`, which would vanish into the prototype.
 */
export function setOwn<T>(map: { [key: string]: T }, key: string, value: T): void {
  if (key === '__proto__')
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
  else map[key] = value
}
