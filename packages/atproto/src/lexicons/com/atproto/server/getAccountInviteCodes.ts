// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Given, Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isMap, query, under } from '@imago/lexicon/runtime'
import * as ServerDefs from './defs.ts'

export type Params = {
  includeUsed: boolean
  createAvailable: boolean
}

export type Output = {
  codes: ServerDefs.InviteCode[]
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!Array.isArray(x = v.codes)) return fail('/codes', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = ServerDefs.checkInviteCode(x[i], m))) return under(`/codes/${i}`, f)
  return undefined
}

export const main: QuerySchema<Params, Output, Given<Params, 'includeUsed' | 'createAvailable'>, 'DuplicateCreate'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.server.getAccountInviteCodes',
  params: {
    includeUsed: { type: 'boolean', check: (v) => (typeof v !== 'boolean' ? fail('', v, 'a boolean') : undefined), default: true },
    createAvailable: { type: 'boolean', check: (v) => (typeof v !== 'boolean' ? fail('', v, 'a boolean') : undefined), default: true },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['DuplicateCreate'],
})
