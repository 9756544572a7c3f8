// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Given, Issue, Mode, QuerySchema, Schema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, query, schema, under } from '@imago/lexicon/runtime'
import type { Did, Nsid } from '@imago/syntax'
import { isDid, isNsid } from '@imago/syntax'

export type Params = {
  collection: Nsid
  limit: number
  cursor?: string
}

export type Output = {
  cursor?: string
  repos: Repo[]
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if ((x = v.cursor) !== undefined && typeof x !== 'string') return fail('/cursor', x, 'a string')
  if (!Array.isArray(x = v.repos)) return fail('/repos', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = checkRepo(x[i], m))) return under(`/repos/${i}`, f)
  return undefined
}

export const main: QuerySchema<Params, Output, Given<Params, 'limit'>> = /*#__PURE__*/ query({
  nsid: 'com.atproto.sync.listReposByCollection',
  params: {
    collection: { type: 'string', check: (v) => (!isNsid(v) ? fail('', v, 'an NSID') : undefined), required: true },
    limit: { type: 'integer', check: (v) => (!isInteger(v, 1, 2000) ? fail('', v, 'an integer from 1 to 2000') : undefined), default: 500 },
    cursor: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined) },
  },
  output: { encoding: 'application/json', check: checkOutput },
})

export type Repo = {
  $type?: 'com.atproto.sync.listReposByCollection#repo'
  did: Did
}

export function checkRepo(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  return undefined
}

export const repo: Schema<Repo> = /*#__PURE__*/ schema(checkRepo, 'com.atproto.sync.listReposByCollection#repo')
