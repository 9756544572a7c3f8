// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, procedure } from '@imago/lexicon/runtime'

export type Params = {}

export type Input = {
  token: string
  password: string
}

export type Output = undefined

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.token) !== 'string') return fail('/token', x, 'a string')
  if (typeof (x = v.password) !== 'string') return fail('/password', x, 'a string')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output, Params, 'ExpiredToken' | 'InvalidToken'> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.server.resetPassword',
  input: { encoding: 'application/json', check: checkInput },
  errors: ['ExpiredToken', 'InvalidToken'],
})
