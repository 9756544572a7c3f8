// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Given, Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, query, under } from '@imago/lexicon/runtime'
import * as LabelDefs from '../label/defs.ts'

export type Params = {
  since?: number
  limit: number
}

export type Output = {
  labels: LabelDefs.Label[]
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!Array.isArray(x = v.labels)) return fail('/labels', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = LabelDefs.checkLabel(x[i], m))) return under(`/labels/${i}`, f)
  return undefined
}

export const main: QuerySchema<Params, Output, Given<Params, 'limit'>> = /*#__PURE__*/ query({
  nsid: 'com.atproto.temp.fetchLabels',
  params: {
    since: { type: 'integer', check: (v) => (!isInteger(v) ? fail('', v, 'an integer') : undefined) },
    limit: { type: 'integer', check: (v) => (!isInteger(v, 1, 250) ? fail('', v, 'an integer from 1 to 250') : undefined), default: 50 },
  },
  output: { encoding: 'application/json', check: checkOutput },
})
