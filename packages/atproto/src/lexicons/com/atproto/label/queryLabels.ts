// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Given, Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, query, under } from '@imago/lexicon/runtime'
import type { Did } from '@imago/syntax'
import { isDid } from '@imago/syntax'
import * as LabelDefs from './defs.ts'

export type Params = {
  uriPatterns: string[]
  sources?: Did[]
  limit: number
  cursor?: string
}

export type Output = {
  cursor?: string
  labels: LabelDefs.Label[]
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if ((x = v.cursor) !== undefined && typeof x !== 'string') return fail('/cursor', x, 'a string')
  if (!Array.isArray(x = v.labels)) return fail('/labels', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = LabelDefs.checkLabel(x[i], m))) return under(`/labels/${i}`, f)
  return undefined
}

export const main: QuerySchema<Params, Output, Given<Params, 'limit'>> = /*#__PURE__*/ query({
  nsid: 'com.atproto.label.queryLabels',
  params: {
    uriPatterns: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined), required: true, repeated: {} },
    sources: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), repeated: {} },
    limit: { type: 'integer', check: (v) => (!isInteger(v, 1, 250) ? fail('', v, 'an integer from 1 to 250') : undefined), default: 50 },
    cursor: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined) },
  },
  output: { encoding: 'application/json', check: checkOutput },
})
