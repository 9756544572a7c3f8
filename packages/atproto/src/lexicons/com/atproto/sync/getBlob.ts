// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { QuerySchema, RawBody } from '@imago/lexicon/runtime'
import { fail, query } from '@imago/lexicon/runtime'
import type { CidString, Did } from '@imago/syntax'
import { isCidString, isDid } from '@imago/syntax'

export type Params = {
  did: Did
  cid: CidString
}

export type Output = RawBody

export const main: QuerySchema<Params, Output, Params, 'BlobNotFound' | 'RepoNotFound' | 'RepoTakendown' | 'RepoSuspended' | 'RepoDeactivated'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.sync.getBlob',
  params: {
    did: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), required: true },
    cid: { type: 'string', check: (v) => (!isCidString(v) ? fail('', v, 'a CID') : undefined), required: true },
  },
  output: { encoding: '*/*' },
  errors: ['BlobNotFound', 'RepoNotFound', 'RepoTakendown', 'RepoSuspended', 'RepoDeactivated'],
})
