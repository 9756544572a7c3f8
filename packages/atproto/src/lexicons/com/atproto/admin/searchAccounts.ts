// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Given, Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, query, under } from '@imago/lexicon/runtime'
import * as AdminDefs from './defs.ts'

export type Params = {
  email?: string
  cursor?: string
  limit: number
}

export type Output = {
  cursor?: string
  accounts: AdminDefs.AccountView[]
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if ((x = v.cursor) !== undefined && typeof x !== 'string') return fail('/cursor', x, 'a string')
  if (!Array.isArray(x = v.accounts)) return fail('/accounts', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = AdminDefs.checkAccountView(x[i], m))) return under(`/accounts/${i}`, f)
  return undefined
}

export const main: QuerySchema<Params, Output, Given<Params, 'limit'>> = /*#__PURE__*/ query({
  nsid: 'com.atproto.admin.searchAccounts',
  params: {
    email: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined) },
    cursor: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined) },
    limit: { type: 'integer', check: (v) => (!isInteger(v, 1, 100) ? fail('', v, 'an integer from 1 to 100') : undefined), default: 50 },
  },
  output: { encoding: 'application/json', check: checkOutput },
})
