// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, procedure } from '@imago/lexicon/runtime'
import type { Did } from '@imago/syntax'
import { isDid } from '@imago/syntax'

export type Params = {}

export type Input = {
  useCount: number
  forAccount?: Did
}

export type Output = {
  code: string
}

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isInteger(x = v.useCount)) return fail('/useCount', x, 'an integer')
  if ((x = v.forAccount) !== undefined && !isDid(x)) return fail('/forAccount', x, 'a DID')
  return undefined
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.code) !== 'string') return fail('/code', x, 'a string')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.server.createInviteCode',
  input: { encoding: 'application/json', check: checkInput },
  output: { encoding: 'application/json', check: checkOutput },
})
