// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, longer, query } from '@imago/lexicon/runtime'
import type { Nsid } from '@imago/syntax'
import { isNsid } from '@imago/syntax'

export type Params = {
  aud: string
  exp?: number
  lxm?: Nsid
}

export type Output = {
  token: string
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.token) !== 'string') return fail('/token', x, 'a string')
  return undefined
}

export const main: QuerySchema<Params, Output, Params, 'BadExpiration'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.server.getServiceAuth',
  params: {
    aud: { type: 'string', check: (v) => (typeof v !== 'string' || longer(v, 2048) ? fail('', v, 'a string of at most 2048 bytes') : undefined), required: true },
    exp: { type: 'integer', check: (v) => (!isInteger(v) ? fail('', v, 'an integer') : undefined) },
    lxm: { type: 'string', check: (v) => (!isNsid(v) ? fail('', v, 'an NSID') : undefined) },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['BadExpiration'],
})
