import {
  type BlobRef,
  type Block,
  type Cid,
  cidOfDrisl,
  DataError,
  type DataMap,
  encode,
  isBlobRef,
  isDataMap,
  RAW_CODEC,
  RECORD_LIMITS,
  type Value,
} from '@imago/data'
import type { RecordSchema } from '@imago/lexicon'
import type { Nsid, RecordKey } from '@imago/syntax'
import { subjectOf } from './record-subject.ts'

/** Most bytes of one record, as every reader of the stream enforces it. */
export const MAX_RECORD_BYTES = 1_000_000

/** A record that may be written as it is, as far as that can be told without looking at storage. */
export interface PreparedRecord {
  readonly path: string
  readonly block: Block
  readonly blobs: readonly BlobRef[]
  /** What the record is about, if a second one about it should replace the first. */
  readonly subject: string | undefined
  /** `undefined` when the caller did not want it checked. */
  readonly validationStatus: 'valid' | 'unknown' | undefined
}

/** A record that may not be written. The message says what is wrong with it, and where. */
export class InvalidRecordError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'InvalidRecordError'
  }
}

/**
 * Checks a record against the data model and, where there is one, against its schema; fills in `$type`; encodes it.
 * @param schema what `FindRecordSchema` gave for it.
 * @param validate `false`: only the data model counts.
 * @throws {InvalidRecordError}
 * @see https://atproto.com/specs/data-model
 */
export function prepareRecord(
  schema: RecordSchema<unknown> | undefined,
  record: { collection: Nsid; rkey: RecordKey; value: DataMap },
  validate: boolean | undefined,
): PreparedRecord {
  const { collection, rkey } = record
  const value = withType(record.value, collection)
  const blobs: BlobRef[] = []
  collectBlobs(value, blobs, '')
  const validationStatus = validate === false ? undefined : checkSchema(schema, record, value)
  const bytes = encoded(value)
  const subject = subjectOf(collection, value)
  const block = { cid: cidOfDrisl(bytes), bytes }
  return { path: `${collection}/${rkey}`, block, blobs, subject, validationStatus }
}

function withType(value: DataMap, collection: Nsid): DataMap {
  const type = value['$type']
  if (type === undefined) return { ...value, $type: collection }
  if (type === collection) return value
  throw new InvalidRecordError(
    `record/$type is ${JSON.stringify(type)}, and the collection is ${collection}: they must be the same`,
  )
}

function checkSchema(
  schema: RecordSchema<unknown> | undefined,
  { collection, rkey }: { collection: Nsid; rkey: RecordKey },
  value: DataMap,
): 'valid' | 'unknown' {
  if (schema === undefined) return 'unknown'
  if (!schema.isKey(rkey))
    throw new InvalidRecordError(
      `the record key of ${collection} must be ${schema.keyRule}, not ${JSON.stringify(rkey)}`,
    )
  const result = schema.validate(value)
  if (!result.ok) throw new InvalidRecordError(`record${result.issue.path} ${result.issue.message}`)
  return 'valid'
}

function encoded(value: DataMap): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = encode(value, RECORD_LIMITS)
  } catch (cause) {
    if (cause instanceof DataError) throw new InvalidRecordError(`record: ${cause.message}`, { cause })
    throw cause
  }
  if (bytes.length > MAX_RECORD_BYTES)
    throw new InvalidRecordError(
      `the record is ${bytes.length} bytes, and at most ${MAX_RECORD_BYTES} are allowed`,
    )
  return bytes
}

/** Collects references to blobs; refuses those of the form before `$type`, and what only looks like one. */
function collectBlobs(value: Value, found: BlobRef[], path: string): void {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) collectBlobs(value[i]!, found, `${path}/${i}`)
    return
  }
  if (typeof value !== 'object' || value === null || !isDataMap(value)) return
  if (value['$type'] === 'blob') {
    if (!isBlobRef(value)) throw new InvalidRecordError(`record${path} is not a whole blob reference`)
    assertRaw(value.ref, path)
    found.push(value)
    return
  }
  if (isLegacyBlob(value))
    throw new InvalidRecordError(
      `record${path} refers to a blob by "cid" and "mimeType", which is read in old records only: use the reference that uploadBlob returned`,
    )
  for (const key of Object.keys(value)) {
    const member = value[key]!
    if (typeof member === 'object') collectBlobs(member, found, `${path}/${key}`)
  }
}

function assertRaw(ref: Cid, path: string): void {
  if (ref.codec !== RAW_CODEC)
    throw new InvalidRecordError(`record${path}/ref is the CID of a record, not of a blob`)
}

function isLegacyBlob(value: DataMap): boolean {
  return (
    typeof value['cid'] === 'string' &&
    typeof value['mimeType'] === 'string' &&
    Object.keys(value).length === 2
  )
}
