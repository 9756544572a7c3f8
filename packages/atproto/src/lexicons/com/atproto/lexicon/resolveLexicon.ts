// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isMap, query, under } from '@imago/lexicon/runtime'
import type { AtUri, CidString, Nsid } from '@imago/syntax'
import { isAtUri, isCidString, isNsid } from '@imago/syntax'
import * as LexiconSchema from './schema.ts'

export type Params = {
  nsid: Nsid
}

export type Output = {
  cid: CidString
  schema: LexiconSchema.Main
  uri: AtUri
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!isCidString(x = v.cid)) return fail('/cid', x, 'a CID')
  if ((f = LexiconSchema.checkMain(v.schema, m))) return under('/schema', f)
  if (!isAtUri(x = v.uri)) return fail('/uri', x, 'an AT-URI')
  return undefined
}

export const main: QuerySchema<Params, Output, Params, 'LexiconNotFound'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.lexicon.resolveLexicon',
  params: {
    nsid: { type: 'string', check: (v) => (!isNsid(v) ? fail('', v, 'an NSID') : undefined), required: true },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['LexiconNotFound'],
})
