// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, procedure } from '@imago/lexicon/runtime'

export type Params = {}

export type Input = undefined

export type Output = {
  tokenRequired: boolean
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.tokenRequired) !== 'boolean') return fail('/tokenRequired', x, 'a boolean')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.server.requestEmailUpdate',
  output: { encoding: 'application/json', check: checkOutput },
})
