// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema, Schema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, procedure, schema, under } from '@imago/lexicon/runtime'
import type { Did } from '@imago/syntax'
import { isDid } from '@imago/syntax'

export type Params = {}

export type Input = {
  codeCount: number
  useCount: number
  forAccounts?: Did[]
}

export type Output = {
  codes: AccountCodes[]
}

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isInteger(x = v.codeCount)) return fail('/codeCount', x, 'an integer')
  if (!isInteger(x = v.useCount)) return fail('/useCount', x, 'an integer')
  if ((x = v.forAccounts) !== undefined) {
    if (!Array.isArray(x)) return fail('/forAccounts', x, 'an array')
    for (let i = 0; i < x.length; i++) if (!isDid(x[i])) return fail(`/forAccounts/${i}`, x[i], 'a DID')
  }
  return undefined
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!Array.isArray(x = v.codes)) return fail('/codes', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = checkAccountCodes(x[i], m))) return under(`/codes/${i}`, f)
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.server.createInviteCodes',
  input: { encoding: 'application/json', check: checkInput },
  output: { encoding: 'application/json', check: checkOutput },
})

export type AccountCodes = {
  $type?: 'com.atproto.server.createInviteCodes#accountCodes'
  account: string
  codes: string[]
}

export function checkAccountCodes(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.account) !== 'string') return fail('/account', x, 'a string')
  if (!Array.isArray(x = v.codes)) return fail('/codes', x, 'an array')
  for (let i = 0; i < x.length; i++) if (typeof x[i] !== 'string') return fail(`/codes/${i}`, x[i], 'a string')
  return undefined
}

export const accountCodes: Schema<AccountCodes> = /*#__PURE__*/ schema(checkAccountCodes, 'com.atproto.server.createInviteCodes#accountCodes')
