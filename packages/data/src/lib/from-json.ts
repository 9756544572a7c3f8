import { isBlobRef } from '../blob-ref.ts'
import { type Cid, parseCid } from '../cid.ts'
import { DataError } from '../data-error.ts'
import type { Limits } from '../limits.ts'
import { fromBase64 } from '../multibase.ts'
import { type DataMap, isPlainObject, setOwn, type Value } from '../value.ts'
import { foreignName, isInteger, notAnInteger, type Path, showPath } from './path.ts'

/**
 * The value that JSON stands for.
 * @throws {DataError} InvalidJson or LimitExceeded, naming the path.
 */
export function readJson(json: unknown, limits: Limits): Value {
  return new JsonReader(limits).value(json, 0)
}

class JsonReader {
  readonly #limits: Limits
  readonly #path: Path = []

  constructor(limits: Limits) {
    this.#limits = limits
  }

  value(json: unknown, depth: number): Value {
    if (typeof json === 'string') {
      if (!json.isWellFormed()) throw this.#refusal(depth, 'text with a lone surrogate')
      return json
    }
    if (typeof json === 'number') {
      if (!isInteger(json)) throw this.#refusal(depth, notAnInteger(json))
      return json
    }
    if (typeof json === 'boolean' || json === null) return json
    if (typeof json !== 'object') throw this.#refusal(depth, foreignName(json))
    if (Array.isArray(json)) return this.#array(json, depth)
    if (!isPlainObject(json)) throw this.#refusal(depth, foreignName(json))
    if (Object.hasOwn(json, '$link')) return this.#link(json, depth)
    if (Object.hasOwn(json, '$bytes')) return this.#bytes(json, depth)
    return this.#map(json, depth)
  }

  #array(json: readonly unknown[], depth: number): Value[] {
    this.#enter(depth, json.length)
    const array: Value[] = []
    for (let i = 0; i < json.length; i++) {
      this.#path[depth] = i
      array.push(this.value(json[i], depth + 1))
    }
    return array
  }

  #map(json: { readonly [key: string]: unknown }, depth: number): DataMap {
    const keys = Object.keys(json)
    this.#enter(depth, keys.length)
    const map: DataMap = {}
    for (const key of keys) {
      this.#path[depth] = key
      if (!key.isWellFormed()) throw this.#refusal(depth + 1, 'a key with a lone surrogate')
      setOwn(map, key, this.value(json[key], depth + 1))
    }
    if (Object.hasOwn(map, '$type')) this.#checkType(map, depth)
    return map
  }

  /** @see https://atproto.com/specs/data-model#usage-and-implementation-guidelines */
  #checkType(map: DataMap, depth: number): void {
    const type = map['$type']
    if (typeof type !== 'string' || type === '')
      throw this.#refusal(depth, `$type ${JSON.stringify(type)}, which has to be a text that is not empty`)
    if (type === 'blob' && !isBlobRef(map))
      throw this.#refusal(
        depth,
        'a blob that is not exactly $type, ref (a link), mimeType (a text that is not empty) and size (0 or more)',
      )
  }

  #link(json: { readonly [key: string]: unknown }, depth: number): Cid {
    const text = this.#onlyText(json, '$link', depth)
    try {
      return parseCid(text)
    } catch (cause) {
      throw this.#refusal(depth, (cause as Error).message, cause)
    }
  }

  #bytes(json: { readonly [key: string]: unknown }, depth: number): Uint8Array {
    const text = this.#onlyText(json, '$bytes', depth)
    try {
      return fromBase64(text)
    } catch (cause) {
      throw this.#refusal(depth, (cause as Error).message, cause)
    }
  }

  #onlyText(json: { readonly [key: string]: unknown }, key: '$link' | '$bytes', depth: number): string {
    const text = json[key]
    if (Object.keys(json).length !== 1) throw this.#refusal(depth, `${key} beside other keys`)
    if (typeof text !== 'string') throw this.#refusal(depth, `${key} that is not a text`)
    return text
  }

  #enter(depth: number, entries: number): void {
    const { maxDepth, maxEntries } = this.#limits
    if (depth >= maxDepth)
      throw new DataError(
        'LimitExceeded',
        `nested deeper than ${maxDepth} levels at ${showPath(this.#path, depth)}`,
      )
    if (entries > maxEntries)
      throw new DataError(
        'LimitExceeded',
        `${entries} entries at ${showPath(this.#path, depth)}: at most ${maxEntries}`,
      )
  }

  #refusal(depth: number, found: string, cause?: unknown): DataError {
    return new DataError(
      'InvalidJson',
      `JSON has no data-model form at ${showPath(this.#path, depth)}: ${found}`,
      { cause },
    )
  }
}
