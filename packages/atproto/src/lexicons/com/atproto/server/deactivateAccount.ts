// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isDatetimeIn, isMap, procedure } from '@imago/lexicon/runtime'
import type { Datetime } from '@imago/syntax'

export type Params = {}

export type Input = {
  deleteAfter?: Datetime
}

export type Output = undefined

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if ((x = v.deleteAfter) !== undefined && !isDatetimeIn(x, m)) return fail('/deleteAfter', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.server.deactivateAccount',
  input: { encoding: 'application/json', check: checkInput },
})
