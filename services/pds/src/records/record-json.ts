import { JsonWriter } from '@imago/data'
import type { Nsid } from '@imago/syntax'
import { JsonText } from '@imago/xrpc/server'
import type { StoredRecord } from '../repos/repo-store.ts'

/*
 * Answers about records, from their bytes: making values of them only to write those as JSON takes twice as long. Neither
 * an AT-URI nor a CID nor a record key has a character that JSON escapes.
 */

/** A record: `{ uri, cid, value }`. */
export function recordAnswer(did: string, record: StoredRecord): JsonText {
  return new JsonText(writeRecord(new JsonWriter(), did, record).finish())
}

/** A page of the records of a collection: `{ cursor?, records }`, where the cursor is the key of the last one. */
export function recordsAnswer(did: string, collection: Nsid, records: readonly StoredRecord[]): JsonText {
  const writer = new JsonWriter()
  const last = records.at(-1)
  writer.ascii(
    last === undefined ? '{"records":[' : `{"cursor":"${last.path.slice(collection.length + 1)}","records":[`,
  )
  records.forEach((record, index) => {
    if (index > 0) writer.ascii(',')
    writeRecord(writer, did, record)
  })
  return new JsonText(writer.ascii(']}').finish())
}

const writeRecord = (writer: JsonWriter, did: string, { path, cid, bytes }: StoredRecord): JsonWriter =>
  writer
    .ascii(`{"uri":"at://${did}/${path}","cid":"`)
    .cid(cid.bytes)
    .ascii('","value":')
    .value(bytes)
    .ascii('}')
