// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isMap, query } from '@imago/lexicon/runtime'
import type { CidString, Did } from '@imago/syntax'
import { isCidString, isDid } from '@imago/syntax'

export type Params = {
  did: Did
}

export type Output = {
  root: CidString
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isCidString(x = v.root)) return fail('/root', x, 'a CID')
  return undefined
}

export const main: QuerySchema<Params, Output, Params, 'HeadNotFound'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.sync.getHead',
  params: {
    did: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), required: true },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['HeadNotFound'],
})
