// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isMap, query, under } from '@imago/lexicon/runtime'
import type { Did } from '@imago/syntax'
import { isDid } from '@imago/syntax'
import * as AdminDefs from './defs.ts'

export type Params = {
  dids: Did[]
}

export type Output = {
  infos: AdminDefs.AccountView[]
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!Array.isArray(x = v.infos)) return fail('/infos', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = AdminDefs.checkAccountView(x[i], m))) return under(`/infos/${i}`, f)
  return undefined
}

export const main: QuerySchema<Params, Output> = /*#__PURE__*/ query({
  nsid: 'com.atproto.admin.getAccountInfos',
  params: {
    dids: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), required: true, repeated: {} },
  },
  output: { encoding: 'application/json', check: checkOutput },
})
