// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, isUnknown, procedure } from '@imago/lexicon/runtime'

export type Params = {}

export type Input = {
  operation: DataMap
}

export type Output = undefined

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isUnknown(x = v.operation)) return fail('/operation', x, 'an object, and not a blob')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.identity.submitPlcOperation',
  input: { encoding: 'application/json', check: checkInput },
})
