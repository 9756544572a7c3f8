// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { QuerySchema, RawBody } from '@imago/lexicon/runtime'
import { fail, query } from '@imago/lexicon/runtime'
import type { Did, Nsid, RecordKey } from '@imago/syntax'
import { isDid, isNsid, isRecordKey } from '@imago/syntax'

export type Params = {
  did: Did
  collection: Nsid
  rkey: RecordKey
}

export type Output = RawBody

export const main: QuerySchema<Params, Output, Params, 'RecordNotFound' | 'RepoNotFound' | 'RepoTakendown' | 'RepoSuspended' | 'RepoDeactivated'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.sync.getRecord',
  params: {
    did: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), required: true },
    collection: { type: 'string', check: (v) => (!isNsid(v) ? fail('', v, 'an NSID') : undefined), required: true },
    rkey: { type: 'string', check: (v) => (!isRecordKey(v) ? fail('', v, 'a record key') : undefined), required: true },
  },
  output: { encoding: 'application/vnd.ipld.car' },
  errors: ['RecordNotFound', 'RepoNotFound', 'RepoTakendown', 'RepoSuspended', 'RepoDeactivated'],
})
