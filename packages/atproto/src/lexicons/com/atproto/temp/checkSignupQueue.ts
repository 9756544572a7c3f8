// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, query } from '@imago/lexicon/runtime'

export type Params = {}

export type Output = {
  activated: boolean
  placeInQueue?: number
  estimatedTimeMs?: number
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.activated) !== 'boolean') return fail('/activated', x, 'a boolean')
  if ((x = v.placeInQueue) !== undefined && !isInteger(x)) return fail('/placeInQueue', x, 'an integer')
  if ((x = v.estimatedTimeMs) !== undefined && !isInteger(x)) return fail('/estimatedTimeMs', x, 'an integer')
  return undefined
}

export const main: QuerySchema<Params, Output> = /*#__PURE__*/ query({
  nsid: 'com.atproto.temp.checkSignupQueue',
  output: { encoding: 'application/json', check: checkOutput },
})
