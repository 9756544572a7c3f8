// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, procedure } from '@imago/lexicon/runtime'

export type Params = {}

export type Input = {
  email: string
  emailAuthFactor?: boolean
  token?: string
}

export type Output = undefined

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.email) !== 'string') return fail('/email', x, 'a string')
  if ((x = v.emailAuthFactor) !== undefined && typeof x !== 'boolean') return fail('/emailAuthFactor', x, 'a boolean')
  if ((x = v.token) !== undefined && typeof x !== 'string') return fail('/token', x, 'a string')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output, Params, 'ExpiredToken' | 'InvalidToken' | 'TokenRequired'> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.server.updateEmail',
  input: { encoding: 'application/json', check: checkInput },
  errors: ['ExpiredToken', 'InvalidToken', 'TokenRequired'],
})
