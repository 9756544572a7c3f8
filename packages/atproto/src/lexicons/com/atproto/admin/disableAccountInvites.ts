// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, procedure } from '@imago/lexicon/runtime'
import type { Did } from '@imago/syntax'
import { isDid } from '@imago/syntax'

export type Params = {}

export type Input = {
  account: Did
  note?: string
}

export type Output = undefined

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isDid(x = v.account)) return fail('/account', x, 'a DID')
  if ((x = v.note) !== undefined && typeof x !== 'string') return fail('/note', x, 'a string')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.admin.disableAccountInvites',
  input: { encoding: 'application/json', check: checkInput },
})
