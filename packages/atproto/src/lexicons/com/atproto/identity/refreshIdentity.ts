// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, procedure } from '@imago/lexicon/runtime'
import type { AtIdentifier } from '@imago/syntax'
import { isAtIdentifier } from '@imago/syntax'
import * as IdentityDefs from './defs.ts'

export type Params = {}

export type Input = {
  identifier: AtIdentifier
}

export type Output = IdentityDefs.IdentityInfo

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isAtIdentifier(x = v.identifier)) return fail('/identifier', x, 'a DID or handle')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output, Params, 'HandleNotFound' | 'DidNotFound' | 'DidDeactivated'> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.identity.refreshIdentity',
  input: { encoding: 'application/json', check: checkInput },
  output: { encoding: 'application/json', check: IdentityDefs.checkIdentityInfo },
  errors: ['HandleNotFound', 'DidNotFound', 'DidDeactivated'],
})
