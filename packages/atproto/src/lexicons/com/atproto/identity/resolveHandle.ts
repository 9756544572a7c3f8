// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isMap, query } from '@imago/lexicon/runtime'
import type { Did, Handle } from '@imago/syntax'
import { isDid, isHandle } from '@imago/syntax'

export type Params = {
  handle: Handle
}

export type Output = {
  did: Did
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  return undefined
}

export const main: QuerySchema<Params, Output, Params, 'HandleNotFound'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.identity.resolveHandle',
  params: {
    handle: { type: 'string', check: (v) => (!isHandle(v) ? fail('', v, 'a handle') : undefined), required: true },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['HandleNotFound'],
})
