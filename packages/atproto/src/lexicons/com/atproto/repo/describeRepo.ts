// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isMap, isUnknown, query } from '@imago/lexicon/runtime'
import type { AtIdentifier, Did, Handle, Nsid } from '@imago/syntax'
import { isAtIdentifier, isDid, isHandle, isNsid } from '@imago/syntax'

export type Params = {
  repo: AtIdentifier
}

export type Output = {
  handle: Handle
  did: Did
  didDoc: DataMap
  collections: Nsid[]
  handleIsCorrect: boolean
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isHandle(x = v.handle)) return fail('/handle', x, 'a handle')
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  if (!isUnknown(x = v.didDoc)) return fail('/didDoc', x, 'an object, and not a blob')
  if (!Array.isArray(x = v.collections)) return fail('/collections', x, 'an array')
  for (let i = 0; i < x.length; i++) if (!isNsid(x[i])) return fail(`/collections/${i}`, x[i], 'an NSID')
  if (typeof (x = v.handleIsCorrect) !== 'boolean') return fail('/handleIsCorrect', x, 'a boolean')
  return undefined
}

export const main: QuerySchema<Params, Output> = /*#__PURE__*/ query({
  nsid: 'com.atproto.repo.describeRepo',
  params: {
    repo: { type: 'string', check: (v) => (!isAtIdentifier(v) ? fail('', v, 'a DID or handle') : undefined), required: true },
  },
  output: { encoding: 'application/json', check: checkOutput },
})
