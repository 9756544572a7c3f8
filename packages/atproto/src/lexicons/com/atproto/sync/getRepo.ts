// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { QuerySchema, RawBody } from '@imago/lexicon/runtime'
import { fail, query } from '@imago/lexicon/runtime'
import type { Did, Tid } from '@imago/syntax'
import { isDid, isTid } from '@imago/syntax'

export type Params = {
  did: Did
  since?: Tid
}

export type Output = RawBody

export const main: QuerySchema<Params, Output, Params, 'RepoNotFound' | 'RepoTakendown' | 'RepoSuspended' | 'RepoDeactivated'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.sync.getRepo',
  params: {
    did: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), required: true },
    since: { type: 'string', check: (v) => (!isTid(v) ? fail('', v, 'a TID') : undefined) },
  },
  output: { encoding: 'application/vnd.ipld.car' },
  errors: ['RepoNotFound', 'RepoTakendown', 'RepoSuspended', 'RepoDeactivated'],
})
