// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { QuerySchema, RawBody } from '@imago/lexicon/runtime'
import { fail, query } from '@imago/lexicon/runtime'
import type { Did } from '@imago/syntax'
import { isDid } from '@imago/syntax'

export type Params = {
  did: Did
}

export type Output = RawBody

export const main: QuerySchema<Params, Output> = /*#__PURE__*/ query({
  nsid: 'com.atproto.sync.getCheckout',
  params: {
    did: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), required: true },
  },
  output: { encoding: 'application/vnd.ipld.car' },
})
