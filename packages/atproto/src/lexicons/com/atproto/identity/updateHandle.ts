// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, procedure } from '@imago/lexicon/runtime'
import type { Handle } from '@imago/syntax'
import { isHandle } from '@imago/syntax'

export type Params = {}

export type Input = {
  handle: Handle
}

export type Output = undefined

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isHandle(x = v.handle)) return fail('/handle', x, 'a handle')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.identity.updateHandle',
  input: { encoding: 'application/json', check: checkInput },
})
