// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema, Typed, UnknownVariant } from '@imago/lexicon/runtime'
import { fail, isMap, query, under, unlistedVariant } from '@imago/lexicon/runtime'
import type { AtUri, CidString, Did } from '@imago/syntax'
import { isAtUri, isCidString, isDid } from '@imago/syntax'
import * as AdminDefs from './defs.ts'
import * as RepoStrongRef from '../repo/strongRef.ts'

export type Params = {
  did?: Did
  uri?: AtUri
  blob?: CidString
}

export type Output = {
  subject: Typed<AdminDefs.RepoRef> | Typed<RepoStrongRef.Main> | Typed<AdminDefs.RepoBlobRef> | UnknownVariant
  takedown?: AdminDefs.StatusAttr
  deactivated?: AdminDefs.StatusAttr
}

export function checkOutputSubject(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object with a $type')
  switch (v.$type) {
    case 'com.atproto.admin.defs#repoRef': return AdminDefs.checkRepoRef(v, m)
    case 'com.atproto.repo.strongRef': return RepoStrongRef.checkMain(v, m)
    case 'com.atproto.admin.defs#repoBlobRef': return AdminDefs.checkRepoBlobRef(v, m)
    default: return unlistedVariant(v.$type, m, '"com.atproto.admin.defs#repoRef", "com.atproto.repo.strongRef" or "com.atproto.admin.defs#repoBlobRef"')
  }
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if ((f = checkOutputSubject(v.subject, m))) return under('/subject', f)
  if ((x = v.takedown) !== undefined && (f = AdminDefs.checkStatusAttr(x, m))) return under('/takedown', f)
  if ((x = v.deactivated) !== undefined && (f = AdminDefs.checkStatusAttr(x, m))) return under('/deactivated', f)
  return undefined
}

export const main: QuerySchema<Params, Output> = /*#__PURE__*/ query({
  nsid: 'com.atproto.admin.getSubjectStatus',
  params: {
    did: { type: 'string', check: (v) => (!isDid(v) ? fail('', v, 'a DID') : undefined) },
    uri: { type: 'string', check: (v) => (!isAtUri(v) ? fail('', v, 'an AT-URI') : undefined) },
    blob: { type: 'string', check: (v) => (!isCidString(v) ? fail('', v, 'a CID') : undefined) },
  },
  output: { encoding: 'application/json', check: checkOutput },
})
