import { isCid } from '@imago/data'

/**
 * Why a value breaks its schema. `path` is a JSON pointer into the value (`/record/text`; empty for the value itself),
 * `message` tells the constraint and the value: `must be a DID, not "alice"`.
 * @see https://www.rfc-editor.org/rfc/rfc6901
 */
export type Issue = { path: string; message: string }

/** What a validation comes to: the value itself, never a copy, or the first issue. */
export type Result<T> = { ok: true; value: T } | { ok: false; issue: Issue }

/**
 * How strictly to judge. `strict` for what is written now. `lenient` for what was written before the rules were: blobs
 * without a size, links to other than raw bytes, datetimes without a zone. `closed` is strict, and refuses variants
 * that an open union does not list.
 */
export type Mode = 'strict' | 'lenient' | 'closed'

/** The core of a validator: the first issue, or `undefined` for a valid value, which costs no allocation. */
export type Check = (value: unknown, mode: Mode) => Issue | undefined

/** An issue at a path: a value that is absent, or not what the schema wants (`a string of at most 64 bytes`). */
export function fail(path: string, value: unknown, wanted: string): Issue {
  return {
    path,
    message: value === undefined ? `is missing: must be ${wanted}` : `must be ${wanted}, not ${shown(value)}`,
  }
}

/** The same issue as seen from a container: its path gets a prefix. Changes the issue, which nobody else holds yet. */
export function under(prefix: string, issue: Issue): Issue {
  issue.path = prefix + issue.path
  return issue
}

/** A key as a step of a JSON pointer. */
export function pointerStep(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

const MAX_SHOWN = 64

/** A bounded, quoted form of any value. */
function shown(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= MAX_SHOWN
      ? JSON.stringify(value)
      : `${JSON.stringify(`${value.slice(0, MAX_SHOWN)}…`)} (${value.length} characters)`
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (isCid(value)) return `the link ${value}`
  if (typeof value !== 'object') return `a ${typeof value}`
  const { $type } = value as { $type?: unknown }
  return typeof $type === 'string' ? `an object of type ${shown($type)}` : 'an object'
}
