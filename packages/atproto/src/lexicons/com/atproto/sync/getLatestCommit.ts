// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isMap, query } from '@imago/lexicon/runtime'
import type { CidString, Did, Tid } from '@imago/syntax'
import { isCidString, isDid, isTid } from '@imago/syntax'

export type Params = {
  did: Did
}

export type Output = {
  cid: CidString
  rev: Tid
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isCidString(x = v.cid)) return fail('/cid', x, 'a CID')
  if (!isTid(x = v.rev)) return fail('/rev', x, 'a TID')
  return undefined
}

export const main: QuerySchema<Params, Output, Params, 'RepoNotFound' | 'RepoTakendown' | 'RepoSuspended' | 'RepoDeactivated'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.sync.getLatestCommit',
  params: {
    did: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined), required: true },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['RepoNotFound', 'RepoTakendown', 'RepoSuspended', 'RepoDeactivated'],
})
