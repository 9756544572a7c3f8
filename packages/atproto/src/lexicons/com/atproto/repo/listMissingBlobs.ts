// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Given, Issue, Mode, QuerySchema, Schema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, query, schema, under } from '@imago/lexicon/runtime'
import type { AtUri, CidString } from '@imago/syntax'
import { isAtUri, isCidString } from '@imago/syntax'

export type Params = {
  limit: number
  cursor?: string
}

export type Output = {
  cursor?: string
  blobs: RecordBlob[]
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if ((x = v.cursor) !== undefined && typeof x !== 'string') return fail('/cursor', x, 'a string')
  if (!Array.isArray(x = v.blobs)) return fail('/blobs', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = checkRecordBlob(x[i], m))) return under(`/blobs/${i}`, f)
  return undefined
}

export const main: QuerySchema<Params, Output, Given<Params, 'limit'>> = /*#__PURE__*/ query({
  nsid: 'com.atproto.repo.listMissingBlobs',
  params: {
    limit: { type: 'integer', check: (v) => (!isInteger(v, 1, 1000) ? fail('', v, 'an integer from 1 to 1000') : undefined), default: 500 },
    cursor: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined) },
  },
  output: { encoding: 'application/json', check: checkOutput },
})

export type RecordBlob = {
  $type?: 'com.atproto.repo.listMissingBlobs#recordBlob'
  cid: CidString
  recordUri: AtUri
}

export function checkRecordBlob(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isCidString(x = v.cid)) return fail('/cid', x, 'a CID')
  if (!isAtUri(x = v.recordUri)) return fail('/recordUri', x, 'an AT-URI')
  return undefined
}

export const recordBlob: Schema<RecordBlob> = /*#__PURE__*/ schema(checkRecordBlob, 'com.atproto.repo.listMissingBlobs#recordBlob')
