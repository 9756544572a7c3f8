// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, procedure } from '@imago/lexicon/runtime'

export type Params = {}

export type Input = {
  hostname: string
}

export type Output = undefined

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.hostname) !== 'string') return fail('/hostname', x, 'a string')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output, Params, 'HostBanned'> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.sync.requestCrawl',
  input: { encoding: 'application/json', check: checkInput },
  errors: ['HostBanned'],
})
