// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Given, Issue, Mode, QuerySchema, Schema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, query, schema, under } from '@imago/lexicon/runtime'
import * as SyncDefs from './defs.ts'

export type Params = {
  limit: number
  cursor?: string
}

export type Output = {
  cursor?: string
  hosts: Host[]
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if ((x = v.cursor) !== undefined && typeof x !== 'string') return fail('/cursor', x, 'a string')
  if (!Array.isArray(x = v.hosts)) return fail('/hosts', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = checkHost(x[i], m))) return under(`/hosts/${i}`, f)
  return undefined
}

export const main: QuerySchema<Params, Output, Given<Params, 'limit'>> = /*#__PURE__*/ query({
  nsid: 'com.atproto.sync.listHosts',
  params: {
    limit: { type: 'integer', check: (v) => (!isInteger(v, 1, 1000) ? fail('', v, 'an integer from 1 to 1000') : undefined), default: 200 },
    cursor: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined) },
  },
  output: { encoding: 'application/json', check: checkOutput },
})

export type Host = {
  $type?: 'com.atproto.sync.listHosts#host'
  hostname: string
  seq?: number
  accountCount?: number
  status?: SyncDefs.HostStatus
}

export function checkHost(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (typeof (x = v.hostname) !== 'string') return fail('/hostname', x, 'a string')
  if ((x = v.seq) !== undefined && !isInteger(x)) return fail('/seq', x, 'an integer')
  if ((x = v.accountCount) !== undefined && !isInteger(x)) return fail('/accountCount', x, 'an integer')
  if ((x = v.status) !== undefined && (f = SyncDefs.checkHostStatus(x, m))) return under('/status', f)
  return undefined
}

export const host: Schema<Host> = /*#__PURE__*/ schema(checkHost, 'com.atproto.sync.listHosts#host')
