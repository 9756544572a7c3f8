// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { QuerySchema } from '@imago/lexicon/runtime'
import { fail, query } from '@imago/lexicon/runtime'
import type { Did } from '@imago/syntax'
import { isDid } from '@imago/syntax'
import * as AdminDefs from './defs.ts'

export type Params = {
  did: Did
}

export type Output = AdminDefs.AccountView

export const main: QuerySchema<Params, Output> = /*#__PURE__*/ query({
  nsid: 'com.atproto.admin.getAccountInfo',
  params: {
    did: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), required: true },
  },
  output: { encoding: 'application/json', check: AdminDefs.checkAccountView },
})
