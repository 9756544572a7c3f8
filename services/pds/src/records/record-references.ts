import { type BlobRef, findBlobRefs, isDataMap, RAW_CODEC, type Value } from '@imago/data'
import { subjectOf } from './record-subject.ts'

/** What is kept in tables beside a record, and follows from it. */
export interface RecordReferences {
  /** Each blob once. */
  readonly blobs: readonly BlobRef[]
  readonly subject: string | undefined
}

/** The references of a record that is stored, however it came here. */
export function referencesOf(path: string, record: Value): RecordReferences {
  if (!isDataMap(record)) return { blobs: [], subject: undefined }
  // Nothing can be uploaded under a CID of another codec: there is nothing to wait for.
  const refs = findBlobRefs(record).filter(({ ref }) => ref.codec === RAW_CODEC)
  const byCid = new Map(refs.map((blob) => [blob.ref.toString(), blob]))
  return { blobs: [...byCid.values()], subject: subjectOf(path.slice(0, path.indexOf('/')), record) }
}
