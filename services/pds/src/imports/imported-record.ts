import { DataError, decode, isDataMap, RAW_CODEC, type Value } from '@imago/data'
import type { VerifiedRecordBlock } from '@imago/repo'
import { MAX_RECORD_BYTES } from '../records/prepare-record.ts'
import { referencesOf } from '../records/record-references.ts'
import type { StagedRecord } from './import-store.ts'
import { InvalidImportError } from './invalid-import-error.ts'

/**
 * A record of a repository from elsewhere with what it refers to. Its bytes stay as they are, whatever its schema says of
 * them: they were signed. Only what could not be served is refused.
 * @throws {InvalidImportError} for what is no map of the data model, or longer than any host passes on.
 */
export function importedRecord({ path, cid, bytes }: VerifiedRecordBlock): StagedRecord {
  if (bytes.length > MAX_RECORD_BYTES)
    throw refused(path, `has ${bytes.length} bytes, and no host passes on more than ${MAX_RECORD_BYTES}`)
  let value: Value
  try {
    value = decode(bytes)
  } catch (cause) {
    if (cause instanceof DataError) throw refused(path, `cannot be read: ${cause.message}`, cause)
    throw cause
  }
  if (!isDataMap(value)) throw refused(path, 'is not a map')
  const { blobs, subject } = referencesOf(path, value)
  // Nothing can be uploaded under a CID of another codec: there is nothing to wait for.
  const refs = blobs.map(({ ref }) => ref).filter(({ codec }) => codec === RAW_CODEC)
  return { path, cid, bytes, blobs: refs, subject }
}

const refused = (path: string, fault: string, cause?: unknown) =>
  new InvalidImportError(`the record ${path} ${fault}. Delete it where it comes from, and export again`, {
    cause,
  })
