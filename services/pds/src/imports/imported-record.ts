import type { Cid } from '@imago/data'
import type { VerifiedRecordBlock } from '@imago/repo'
import { MAX_RECORD_BYTES } from '../records/prepare-record.ts'
import { subjectOf } from '../records/record-subject.ts'
import type { StagedRecord } from './import-store.ts'
import { InvalidImportError } from './invalid-import-error.ts'
import { type ScannedRecord, scanRecord, UnreadableRecordError } from './scan-record.ts'

/**
 * A record of a repository from elsewhere with what it refers to. Its bytes stay as they are, whatever its schema says of
 * them: they were signed. Only what could not be served is refused.
 * @throws {InvalidImportError} for what is no map of the data model, or longer than any host passes on.
 */
export function importedRecord({ path, cid, bytes }: VerifiedRecordBlock): StagedRecord {
  if (bytes.length > MAX_RECORD_BYTES)
    throw refused(path, `has ${bytes.length} bytes, and no host passes on more than ${MAX_RECORD_BYTES}`)
  const scanned = scannedRecord(path, bytes)
  if (scanned === undefined) throw refused(path, 'is not a map')
  const { blobs, subject: about } = scanned
  const subject = about && subjectOf(path.slice(0, path.indexOf('/')), { subject: about })
  return new ImportedRecord(path, cid, bytes, blobs, subject)
}

/**
 * No object literal, though it looks like one: V8 notes of each literal whether what it makes lives for long, and once it has
 * met a batch that is not done with, it puts all that come after it among the old ones, and with them whatever hangs from
 * them. An import took 100 MB more then (measured).
 */
class ImportedRecord implements StagedRecord {
  readonly path: string
  readonly cid: Cid
  readonly bytes: Uint8Array
  readonly blobs: readonly Cid[]
  readonly subject: string | undefined

  constructor(path: string, cid: Cid, bytes: Uint8Array, blobs: readonly Cid[], subject: string | undefined) {
    this.path = path
    this.cid = cid
    this.bytes = bytes
    this.blobs = blobs
    this.subject = subject
  }
}

function scannedRecord(path: string, bytes: Uint8Array): ScannedRecord | undefined {
  try {
    return scanRecord(bytes)
  } catch (cause) {
    if (cause instanceof UnreadableRecordError) throw refused(path, `cannot be read: ${cause.message}`, cause)
    throw cause
  }
}

const refused = (path: string, fault: string, cause?: unknown) =>
  new InvalidImportError(`the record ${path} ${fault}. Delete it where it comes from, and export again`, {
    cause,
  })
