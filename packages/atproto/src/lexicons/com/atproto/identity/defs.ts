// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Issue, Mode, Schema } from '@imago/lexicon/runtime'
import { fail, isMap, isUnknown, schema } from '@imago/lexicon/runtime'
import type { Did, Handle } from '@imago/syntax'
import { isDid, isHandle } from '@imago/syntax'

export type IdentityInfo = {
  $type?: 'com.atproto.identity.defs#identityInfo'
  did: Did
  handle: Handle
  didDoc: DataMap
}

export function checkIdentityInfo(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  if (!isHandle(x = v.handle)) return fail('/handle', x, 'a handle')
  if (!isUnknown(x = v.didDoc)) return fail('/didDoc', x, 'an object, and not a blob')
  return undefined
}

export const identityInfo: Schema<IdentityInfo> = /*#__PURE__*/ schema(checkIdentityInfo, 'com.atproto.identity.defs#identityInfo')
