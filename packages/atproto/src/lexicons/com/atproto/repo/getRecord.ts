// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isMap, isUnknown, query } from '@imago/lexicon/runtime'
import type { AtIdentifier, AtUri, CidString, Nsid, RecordKey } from '@imago/syntax'
import { isAtIdentifier, isAtUri, isCidString, isNsid, isRecordKey } from '@imago/syntax'

export type Params = {
  repo: AtIdentifier
  collection: Nsid
  rkey: RecordKey
  cid?: CidString
}

export type Output = {
  uri: AtUri
  cid?: CidString
  value: DataMap
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isAtUri(x = v.uri)) return fail('/uri', x, 'an AT-URI')
  if ((x = v.cid) !== undefined && !isCidString(x)) return fail('/cid', x, 'a CID')
  if (!isUnknown(x = v.value)) return fail('/value', x, 'an object, and not a blob')
  return undefined
}

export const main: QuerySchema<Params, Output, Params, 'RecordNotFound'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.repo.getRecord',
  params: {
    repo: { type: 'string', check: (v) => (!isAtIdentifier(v) ? fail('', v, 'a DID or handle') : undefined), required: true },
    collection: { type: 'string', check: (v) => (!isNsid(v) ? fail('', v, 'an NSID') : undefined), required: true },
    rkey: { type: 'string', check: (v) => (!isRecordKey(v) ? fail('', v, 'a record key') : undefined), required: true },
    cid: { type: 'string', check: (v) => (!isCidString(v) ? fail('', v, 'a CID') : undefined) },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['RecordNotFound'],
})
