// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema, Schema } from '@imago/lexicon/runtime'
import { fail, isDatetimeIn, isMap, query, schema, under } from '@imago/lexicon/runtime'
import type { Datetime } from '@imago/syntax'

export type Params = {}

export type Output = {
  passwords: AppPassword[]
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!Array.isArray(x = v.passwords)) return fail('/passwords', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = checkAppPassword(x[i], m))) return under(`/passwords/${i}`, f)
  return undefined
}

export const main: QuerySchema<Params, Output, Params, 'AccountTakedown'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.server.listAppPasswords',
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['AccountTakedown'],
})

export type AppPassword = {
  $type?: 'com.atproto.server.listAppPasswords#appPassword'
  name: string
  createdAt: Datetime
  privileged?: boolean
}

export function checkAppPassword(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.name) !== 'string') return fail('/name', x, 'a string')
  if (!isDatetimeIn(x = v.createdAt, m)) return fail('/createdAt', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  if ((x = v.privileged) !== undefined && typeof x !== 'boolean') return fail('/privileged', x, 'a boolean')
  return undefined
}

export const appPassword: Schema<AppPassword> = /*#__PURE__*/ schema(checkAppPassword, 'com.atproto.server.listAppPasswords#appPassword')
