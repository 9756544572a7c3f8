// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { QuerySchema } from '@imago/lexicon/runtime'
import { fail, query } from '@imago/lexicon/runtime'
import type { AtIdentifier } from '@imago/syntax'
import { isAtIdentifier } from '@imago/syntax'
import * as IdentityDefs from './defs.ts'

export type Params = {
  identifier: AtIdentifier
}

export type Output = IdentityDefs.IdentityInfo

export const main: QuerySchema<Params, Output, Params, 'HandleNotFound' | 'DidNotFound' | 'DidDeactivated'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.identity.resolveIdentity',
  params: {
    identifier: { type: 'string', check: (v) => (!isAtIdentifier(v) ? fail('', v, 'a DID or handle') : undefined), required: true },
  },
  output: { encoding: 'application/json', check: IdentityDefs.checkIdentityInfo },
  errors: ['HandleNotFound', 'DidNotFound', 'DidDeactivated'],
})
