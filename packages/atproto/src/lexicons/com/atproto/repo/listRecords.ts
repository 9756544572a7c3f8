// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Given, Issue, Mode, QuerySchema, Schema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, isUnknown, query, schema, under } from '@imago/lexicon/runtime'
import type { AtIdentifier, AtUri, CidString, Nsid } from '@imago/syntax'
import { isAtIdentifier, isAtUri, isCidString, isNsid } from '@imago/syntax'

export type Params = {
  repo: AtIdentifier
  collection: Nsid
  limit: number
  cursor?: string
  reverse?: boolean
}

export type Output = {
  cursor?: string
  records: RecordDef[]
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if ((x = v.cursor) !== undefined && typeof x !== 'string') return fail('/cursor', x, 'a string')
  if (!Array.isArray(x = v.records)) return fail('/records', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = checkRecord(x[i], m))) return under(`/records/${i}`, f)
  return undefined
}

export const main: QuerySchema<Params, Output, Given<Params, 'limit'>> = /*#__PURE__*/ query({
  nsid: 'com.atproto.repo.listRecords',
  params: {
    repo: { type: 'string', check: (v) => (!isAtIdentifier(v) ? fail('', v, 'a DID or handle') : undefined), required: true },
    collection: { type: 'string', check: (v) => (!isNsid(v) ? fail('', v, 'an NSID') : undefined), required: true },
    limit: { type: 'integer', check: (v) => (!isInteger(v, 1, 100) ? fail('', v, 'an integer from 1 to 100') : undefined), default: 50 },
    cursor: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined) },
    reverse: { type: 'boolean', check: (v) => (typeof v !== 'boolean' ? fail('', v, 'a boolean') : undefined) },
  },
  output: { encoding: 'application/json', check: checkOutput },
})

export type RecordDef = {
  $type?: 'com.atproto.repo.listRecords#record'
  uri: AtUri
  cid: CidString
  value: DataMap
}

export function checkRecord(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isAtUri(x = v.uri)) return fail('/uri', x, 'an AT-URI')
  if (!isCidString(x = v.cid)) return fail('/cid', x, 'a CID')
  if (!isUnknown(x = v.value)) return fail('/value', x, 'an object, and not a blob')
  return undefined
}

const record_: Schema<RecordDef> = /*#__PURE__*/ schema(checkRecord, 'com.atproto.repo.listRecords#record')
export { record_ as record }
