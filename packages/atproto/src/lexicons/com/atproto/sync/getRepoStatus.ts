// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isMap, query } from '@imago/lexicon/runtime'
import type { Did, Tid } from '@imago/syntax'
import { isDid, isTid } from '@imago/syntax'

export type Params = {
  did: Did
}

export type Output = {
  did: Did
  active: boolean
  status?: 'takendown' | 'suspended' | 'deleted' | 'deactivated' | 'desynchronized' | 'throttled' | (string & {})
  rev?: Tid
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  if (typeof (x = v.active) !== 'boolean') return fail('/active', x, 'a boolean')
  if ((x = v.status) !== undefined && typeof x !== 'string') return fail('/status', x, 'a string')
  if ((x = v.rev) !== undefined && !isTid(x)) return fail('/rev', x, 'a TID')
  return undefined
}

export const main: QuerySchema<Params, Output, Params, 'RepoNotFound'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.sync.getRepoStatus',
  params: {
    did: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), required: true },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['RepoNotFound'],
})
