// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, procedure } from '@imago/lexicon/runtime'

export type Params = {}

export type Input = {
  codes?: string[]
  accounts?: string[]
}

export type Output = undefined

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if ((x = v.codes) !== undefined) {
    if (!Array.isArray(x)) return fail('/codes', x, 'an array')
    for (let i = 0; i < x.length; i++) if (typeof x[i] !== 'string') return fail(`/codes/${i}`, x[i], 'a string')
  }
  if ((x = v.accounts) !== undefined) {
    if (!Array.isArray(x)) return fail('/accounts', x, 'an array')
    for (let i = 0; i < x.length; i++) if (typeof x[i] !== 'string') return fail(`/accounts/${i}`, x[i], 'a string')
  }
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.admin.disableInviteCodes',
  input: { encoding: 'application/json', check: checkInput },
})
