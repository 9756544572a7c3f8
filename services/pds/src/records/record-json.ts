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
  return new JsonText(writeRecord(new JsonWriter(), openingOf(did), record).finish())
}

/** A page of the records of a collection: `{ cursor?, records }`, where the cursor is the key of the last one. */
export function recordsAnswer(did: string, collection: Nsid, records: readonly StoredRecord[]): JsonText {
  const writer = new JsonWriter()
  const last = records.at(-1)
  if (last !== undefined)
    writer
      .ascii('{"cursor":"')
      .ascii(last.path.slice(collection.length + 1))
      .ascii('",')
  else writer.ascii('{')
  writer.ascii('"records":[')
  const opening = openingOf(did)
  records.forEach((record, index) => {
    if (index > 0) writer.ascii(',')
    writeRecord(writer, opening, record)
  })
  return new JsonText(writer.ascii(']}').finish())
}

/** What every record of a repository begins with. */
const openingOf = (did: string) => utf8.encode(`{"uri":"at://${did}/`)

const utf8 = new TextEncoder()
const BEFORE_CID = utf8.encode('","cid":"')
const BEFORE_VALUE = utf8.encode('","value":')
const cidBytes = new Uint8Array(36)

function writeRecord(
  writer: JsonWriter,
  opening: Uint8Array,
  { path, cid, bytes }: StoredRecord,
): JsonWriter {
  cid.writeTo(cidBytes, 0)
  return writer
    .raw(opening)
    .ascii(path)
    .raw(BEFORE_CID)
    .cid(cidBytes)
    .raw(BEFORE_VALUE)
    .value(bytes)
    .ascii('}')
}
