// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { QuerySchema, RawBody } from '@imago/lexicon/runtime'
import { fail, query } from '@imago/lexicon/runtime'
import type { CidString, Did } from '@imago/syntax'
import { isCidString, isDid } from '@imago/syntax'

export type Params = {
  did: Did
  cids: CidString[]
}

export type Output = RawBody

export const main: QuerySchema<Params, Output, Params, 'BlockNotFound' | 'RepoNotFound' | 'RepoTakendown' | 'RepoSuspended' | 'RepoDeactivated'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.sync.getBlocks',
  params: {
    did: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), required: true },
    cids: { type: 'string', check: (v) => (!isCidString(v) ? fail('', v, 'a CID') : undefined), required: true, repeated: {} },
  },
  output: { encoding: 'application/vnd.ipld.car' },
  errors: ['BlockNotFound', 'RepoNotFound', 'RepoTakendown', 'RepoSuspended', 'RepoDeactivated'],
})
