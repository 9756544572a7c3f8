import { InvalidIdentifierError } from './invalid-identifier-error.ts'

/** The name of one record within its collection, such as `3jzfcijpj2z2a` or `self`. Case-sensitive. */
export type RecordKey = string

/** Also matches `.` and `..`, which {@link isRecordKey} rules out. */
export const RECORD_KEY = /^[A-Za-z0-9_~.:-]{1,512}$/

/**
 * Whether a value is a syntactically valid record key. What a collection's schema asks of its keys (`tid`,
 * `literal:self`, …) is a narrower question.
 * @see https://atproto.com/specs/record-key#record-key-syntax
 */
export function isRecordKey(value: unknown): value is RecordKey {
  return typeof value === 'string' && RECORD_KEY.test(value) && value !== '.' && value !== '..'
}

/** The record key, when `value` is one; otherwise `undefined`. */
export function tryParseRecordKey(value: unknown): RecordKey | undefined {
  return isRecordKey(value) ? value : undefined
}

/**
 * The same string, now known to be a record key.
 * @throws {InvalidIdentifierError} when it is not one.
 */
export function parseRecordKey(value: string): RecordKey {
  if (!isRecordKey(value))
    throw new InvalidIdentifierError(
      'record key',
      value,
      '1 to 512 of A-Z a-z 0-9 _ ~ . : - and neither "." nor ".."',
    )
  return value
}
