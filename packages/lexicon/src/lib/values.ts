import { isCid, RAW_CODEC } from '@imago/data'
import { isDatetime, isNsid } from '@imago/syntax'
import { fail, type Issue, type Mode } from '../issue.ts'

/**
 * Whether a value is a map: of what the data model can hold, an object that is no array, bytes or link. Instances of
 * other classes are let through here, and refused where values are encoded: reading the prototype of every map cost more
 * time than any other part of validation.
 */
export function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    // Asks only for the kind of object, where `instanceof` would look for a prototype.
    !ArrayBuffer.isView(value) &&
    !isCid(value)
  )
}

/** A property's value where its name is also one of `Object.prototype` (`constructor`, `__proto__`). */
export function own(map: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

/** Whether a value is a whole number that every implementation can hold, within inclusive bounds. */
export function isInteger(value: unknown, minimum = -Infinity, maximum = Infinity): value is number {
  return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum
}

/** Whether a value is bytes, of a length within inclusive bounds. */
export function isBytes(value: unknown, minLength = 0, maxLength = Infinity): value is Uint8Array {
  return value instanceof Uint8Array && value.length >= minLength && value.length <= maxLength
}

/** Whether a value is what the type `unknown` lets through: any map but a blob. */
export function isUnknown(value: unknown): value is Record<string, unknown> {
  return isMap(value) && value['$type'] !== 'blob'
}

/** A datetime; in mode `lenient` also one that says no time zone. */
export function isDatetimeIn(value: unknown, mode: Mode): value is string {
  return isDatetime(value) || (mode === 'lenient' && typeof value === 'string' && isDatetime(`${value}Z`))
}

/**
 * Whether a value refers to a blob that the field accepts. In mode `lenient`, type and size are not held against it,
 * its link may be of any codec, and it may have the form of the first years, `{ cid, mimeType }`.
 * @see https://atproto.com/specs/data-model#blob-type
 */
export function isBlob(value: unknown, mode: Mode, accept?: readonly string[], maxSize = Infinity): boolean {
  if (!isMap(value)) return false
  const { $type, ref, mimeType, size } = value
  if (typeof mimeType !== 'string' || mimeType === '') return false
  if ($type === undefined && mode === 'lenient') return typeof value['cid'] === 'string'
  if ($type !== 'blob' || !isCid(ref) || !isInteger(size, 0)) return false
  return (
    mode === 'lenient' ||
    (ref.codec === RAW_CODEC && size <= maxSize && (accept === undefined || matchesAny(mimeType, accept)))
  )
}

function matchesAny(mimeType: string, globs: readonly string[]): boolean {
  for (let i = 0; i < globs.length; i++) if (matches(mimeType, globs[i]!)) return true
  return false
}

/** Whether a MIME type is one that a glob (`image/png`, `image/*`, all) stands for. */
function matches(mimeType: string, glob: string): boolean {
  if (glob === mimeType || glob === '*/*') return true
  const prefix = glob.length - 1
  if (glob.charCodeAt(prefix) !== STAR || mimeType.length <= prefix) return false
  for (let i = 0; i < prefix; i++) if (mimeType.charCodeAt(i) !== glob.charCodeAt(i)) return false
  for (let i = prefix; i < mimeType.length; i++) if (!isTokenUnit(mimeType.charCodeAt(i))) return false
  return true
}

const STAR = 0x2a
const SLASH = 0x2f
const SEMICOLON = 0x3b

/** A subtype is one word: no white space, and nothing that begins another part or a parameter. */
const isTokenUnit = (unit: number) => unit > 0x20 && unit < 0x7f && unit !== SLASH && unit !== SEMICOLON

/**
 * The issue with a variant that an open union does not list, if any. It passes unseen, unless its name is no name of an
 * object or, in mode `closed`, at all.
 */
export function unlistedVariant(type: unknown, mode: Mode, listed: string): Issue | undefined {
  if (mode === 'closed') return fail('/$type', type, listed)
  return isTypeName(type, mode)
    ? undefined
    : fail('/$type', type, 'the name of a type, written nsid or nsid#name')
}

/** Whether a string can stand in `$type`. `nsid#main` cannot: the plain NSID is the only name of a main definition. */
export function isTypeName(type: unknown, mode: Mode): boolean {
  if (typeof type !== 'string' || type === '' || type.endsWith('#main')) return false
  if (mode === 'lenient') return true
  const hash = type.indexOf('#')
  if (hash < 0) return isNsid(type)
  return isNsid(type.slice(0, hash)) && DEFINITION_NAME.test(type.slice(hash + 1))
}

const DEFINITION_NAME = /^[^#.]+$/
