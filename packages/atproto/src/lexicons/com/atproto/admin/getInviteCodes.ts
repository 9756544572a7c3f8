// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Given, Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, query, under } from '@imago/lexicon/runtime'
import * as ServerDefs from '../server/defs.ts'

export type Params = {
  sort: 'recent' | 'usage' | (string & {})
  limit: number
  cursor?: string
}

export type Output = {
  cursor?: string
  codes: ServerDefs.InviteCode[]
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if ((x = v.cursor) !== undefined && typeof x !== 'string') return fail('/cursor', x, 'a string')
  if (!Array.isArray(x = v.codes)) return fail('/codes', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = ServerDefs.checkInviteCode(x[i], m))) return under(`/codes/${i}`, f)
  return undefined
}

export const main: QuerySchema<Params, Output, Given<Params, 'sort' | 'limit'>> = /*#__PURE__*/ query({
  nsid: 'com.atproto.admin.getInviteCodes',
  params: {
    sort: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined), default: 'recent' },
    limit: { type: 'integer', check: (v) => (!isInteger(v, 1, 500) ? fail('', v, 'an integer from 1 to 500') : undefined), default: 100 },
    cursor: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined) },
  },
  output: { encoding: 'application/json', check: checkOutput },
})
