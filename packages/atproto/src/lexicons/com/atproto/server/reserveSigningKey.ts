// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, procedure } from '@imago/lexicon/runtime'
import type { Did } from '@imago/syntax'
import { isDid } from '@imago/syntax'

export type Params = {}

export type Input = {
  did?: Did
}

export type Output = {
  signingKey: string
}

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if ((x = v.did) !== undefined && !isDid(x)) return fail('/did', x, 'a DID')
  return undefined
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.signingKey) !== 'string') return fail('/signingKey', x, 'a string')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.server.reserveSigningKey',
  input: { encoding: 'application/json', check: checkInput },
  output: { encoding: 'application/json', check: checkOutput },
})
