// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema, Schema } from '@imago/lexicon/runtime'
import { fail, isDatetimeIn, isMap, procedure, schema } from '@imago/lexicon/runtime'
import type { Datetime } from '@imago/syntax'

export type Params = {}

export type Input = {
  name: string
  privileged?: boolean
}

export type Output = AppPassword

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.name) !== 'string') return fail('/name', x, 'a string')
  if ((x = v.privileged) !== undefined && typeof x !== 'boolean') return fail('/privileged', x, 'a boolean')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output, Params, 'AccountTakedown'> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.server.createAppPassword',
  input: { encoding: 'application/json', check: checkInput },
  output: { encoding: 'application/json', check: checkAppPassword },
  errors: ['AccountTakedown'],
})

export type AppPassword = {
  $type?: 'com.atproto.server.createAppPassword#appPassword'
  name: string
  password: string
  createdAt: Datetime
  privileged?: boolean
}

export function checkAppPassword(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.name) !== 'string') return fail('/name', x, 'a string')
  if (typeof (x = v.password) !== 'string') return fail('/password', x, 'a string')
  if (!isDatetimeIn(x = v.createdAt, m)) return fail('/createdAt', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  if ((x = v.privileged) !== undefined && typeof x !== 'boolean') return fail('/privileged', x, 'a boolean')
  return undefined
}

export const appPassword: Schema<AppPassword> = /*#__PURE__*/ schema(checkAppPassword, 'com.atproto.server.createAppPassword#appPassword')
