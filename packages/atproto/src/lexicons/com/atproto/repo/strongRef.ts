// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, Schema } from '@imago/lexicon/runtime'
import { fail, isMap, schema } from '@imago/lexicon/runtime'
import type { AtUri, CidString } from '@imago/syntax'
import { isAtUri, isCidString } from '@imago/syntax'

export type Main = {
  $type?: 'com.atproto.repo.strongRef'
  uri: AtUri
  cid: CidString
}

export function checkMain(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isAtUri(x = v.uri)) return fail('/uri', x, 'an AT-URI')
  if (!isCidString(x = v.cid)) return fail('/cid', x, 'a CID')
  return undefined
}

export const main: Schema<Main> = /*#__PURE__*/ schema(checkMain, 'com.atproto.repo.strongRef')
