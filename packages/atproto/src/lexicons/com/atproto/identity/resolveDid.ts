// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isMap, isUnknown, query } from '@imago/lexicon/runtime'
import type { Did } from '@imago/syntax'
import { isDid } from '@imago/syntax'

export type Params = {
  did: Did
}

export type Output = {
  didDoc: DataMap
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isUnknown(x = v.didDoc)) return fail('/didDoc', x, 'an object, and not a blob')
  return undefined
}

export const main: QuerySchema<Params, Output, Params, 'DidNotFound' | 'DidDeactivated'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.identity.resolveDid',
  params: {
    did: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), required: true },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['DidNotFound', 'DidDeactivated'],
})
