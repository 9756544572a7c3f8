// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Given, Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, query } from '@imago/lexicon/runtime'
import type { CidString, Did, Tid } from '@imago/syntax'
import { isCidString, isDid, isTid } from '@imago/syntax'

export type Params = {
  did: Did
  since?: Tid
  limit: number
  cursor?: string
}

export type Output = {
  cursor?: string
  cids: CidString[]
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if ((x = v.cursor) !== undefined && typeof x !== 'string') return fail('/cursor', x, 'a string')
  if (!Array.isArray(x = v.cids)) return fail('/cids', x, 'an array')
  for (let i = 0; i < x.length; i++) if (!isCidString(x[i])) return fail(`/cids/${i}`, x[i], 'a CID')
  return undefined
}

export const main: QuerySchema<Params, Output, Given<Params, 'limit'>, 'RepoNotFound' | 'RepoTakendown' | 'RepoSuspended' | 'RepoDeactivated'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.sync.listBlobs',
  params: {
    did: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), required: true },
    since: { type: 'string', check: (v) => (!isTid(v) ? fail('', v, 'a TID') : undefined) },
    limit: { type: 'integer', check: (v) => (!isInteger(v, 1, 1000) ? fail('', v, 'an integer from 1 to 1000') : undefined), default: 500 },
    cursor: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined) },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['RepoNotFound', 'RepoTakendown', 'RepoSuspended', 'RepoDeactivated'],
})
