// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, query, under } from '@imago/lexicon/runtime'
import * as SyncDefs from './defs.ts'

export type Params = {
  hostname: string
}

export type Output = {
  hostname: string
  seq?: number
  accountCount?: number
  status?: SyncDefs.HostStatus
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (typeof (x = v.hostname) !== 'string') return fail('/hostname', x, 'a string')
  if ((x = v.seq) !== undefined && !isInteger(x)) return fail('/seq', x, 'an integer')
  if ((x = v.accountCount) !== undefined && !isInteger(x)) return fail('/accountCount', x, 'an integer')
  if ((x = v.status) !== undefined && (f = SyncDefs.checkHostStatus(x, m))) return under('/status', f)
  return undefined
}

export const main: QuerySchema<Params, Output, Params, 'HostNotFound'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.sync.getHostStatus',
  params: {
    hostname: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined), required: true },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['HostNotFound'],
})
