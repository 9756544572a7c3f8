// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isMap, query } from '@imago/lexicon/runtime'

export type Params = {
  scope: string
}

export type Output = {
  scope: string
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.scope) !== 'string') return fail('/scope', x, 'a string')
  return undefined
}

export const main: QuerySchema<Params, Output, Params, 'InvalidScopeReference'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.temp.dereferenceScope',
  params: {
    scope: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined), required: true },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['InvalidScopeReference'],
})
