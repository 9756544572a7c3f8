// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, Schema } from '@imago/lexicon/runtime'
import { fail, isMap, schema } from '@imago/lexicon/runtime'
import type { CidString, Tid } from '@imago/syntax'
import { isCidString, isTid } from '@imago/syntax'

export type CommitMeta = {
  $type?: 'com.atproto.repo.defs#commitMeta'
  cid: CidString
  rev: Tid
}

export function checkCommitMeta(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isCidString(x = v.cid)) return fail('/cid', x, 'a CID')
  if (!isTid(x = v.rev)) return fail('/rev', x, 'a TID')
  return undefined
}

export const commitMeta: Schema<CommitMeta> = /*#__PURE__*/ schema(checkCommitMeta, 'com.atproto.repo.defs#commitMeta')
