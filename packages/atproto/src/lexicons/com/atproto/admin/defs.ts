// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Issue, Mode, Schema } from '@imago/lexicon/runtime'
import { fail, isDatetimeIn, isMap, isUnknown, schema, under } from '@imago/lexicon/runtime'
import type { AtUri, CidString, Datetime, Did, Handle } from '@imago/syntax'
import { isAtUri, isCidString, isDid, isHandle } from '@imago/syntax'
import * as ServerDefs from '../server/defs.ts'

export type StatusAttr = {
  $type?: 'com.atproto.admin.defs#statusAttr'
  applied: boolean
  ref?: string
}

export function checkStatusAttr(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.applied) !== 'boolean') return fail('/applied', x, 'a boolean')
  if ((x = v.ref) !== undefined && typeof x !== 'string') return fail('/ref', x, 'a string')
  return undefined
}

export const statusAttr: Schema<StatusAttr> = /*#__PURE__*/ schema(checkStatusAttr, 'com.atproto.admin.defs#statusAttr')

export type AccountView = {
  $type?: 'com.atproto.admin.defs#accountView'
  did: Did
  handle: Handle
  email?: string
  relatedRecords?: DataMap[]
  indexedAt: Datetime
  invitedBy?: ServerDefs.InviteCode
  invites?: ServerDefs.InviteCode[]
  invitesDisabled?: boolean
  emailConfirmedAt?: Datetime
  inviteNote?: string
  deactivatedAt?: Datetime
  threatSignatures?: ThreatSignature[]
}

export function checkAccountView(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  if (!isHandle(x = v.handle)) return fail('/handle', x, 'a handle')
  if ((x = v.email) !== undefined && typeof x !== 'string') return fail('/email', x, 'a string')
  if ((x = v.relatedRecords) !== undefined) {
    if (!Array.isArray(x)) return fail('/relatedRecords', x, 'an array')
    for (let i = 0; i < x.length; i++) if (!isUnknown(x[i])) return fail(`/relatedRecords/${i}`, x[i], 'an object, and not a blob')
  }
  if (!isDatetimeIn(x = v.indexedAt, m)) return fail('/indexedAt', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  if ((x = v.invitedBy) !== undefined && (f = ServerDefs.checkInviteCode(x, m))) return under('/invitedBy', f)
  if ((x = v.invites) !== undefined) {
    if (!Array.isArray(x)) return fail('/invites', x, 'an array')
    for (let i = 0; i < x.length; i++) if ((f = ServerDefs.checkInviteCode(x[i], m))) return under(`/invites/${i}`, f)
  }
  if ((x = v.invitesDisabled) !== undefined && typeof x !== 'boolean') return fail('/invitesDisabled', x, 'a boolean')
  if ((x = v.emailConfirmedAt) !== undefined && !isDatetimeIn(x, m)) return fail('/emailConfirmedAt', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  if ((x = v.inviteNote) !== undefined && typeof x !== 'string') return fail('/inviteNote', x, 'a string')
  if ((x = v.deactivatedAt) !== undefined && !isDatetimeIn(x, m)) return fail('/deactivatedAt', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  if ((x = v.threatSignatures) !== undefined) {
    if (!Array.isArray(x)) return fail('/threatSignatures', x, 'an array')
    for (let i = 0; i < x.length; i++) if ((f = checkThreatSignature(x[i], m))) return under(`/threatSignatures/${i}`, f)
  }
  return undefined
}

export const accountView: Schema<AccountView> = /*#__PURE__*/ schema(checkAccountView, 'com.atproto.admin.defs#accountView')

export type RepoRef = {
  $type?: 'com.atproto.admin.defs#repoRef'
  did: Did
}

export function checkRepoRef(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  return undefined
}

export const repoRef: Schema<RepoRef> = /*#__PURE__*/ schema(checkRepoRef, 'com.atproto.admin.defs#repoRef')

export type RepoBlobRef = {
  $type?: 'com.atproto.admin.defs#repoBlobRef'
  did: Did
  cid: CidString
  recordUri?: AtUri
}

export function checkRepoBlobRef(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  if (!isCidString(x = v.cid)) return fail('/cid', x, 'a CID')
  if ((x = v.recordUri) !== undefined && !isAtUri(x)) return fail('/recordUri', x, 'an AT-URI')
  return undefined
}

export const repoBlobRef: Schema<RepoBlobRef> = /*#__PURE__*/ schema(checkRepoBlobRef, 'com.atproto.admin.defs#repoBlobRef')

export type ThreatSignature = {
  $type?: 'com.atproto.admin.defs#threatSignature'
  property: string
  value: string
}

export function checkThreatSignature(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.property) !== 'string') return fail('/property', x, 'a string')
  if (typeof (x = v.value) !== 'string') return fail('/value', x, 'a string')
  return undefined
}

export const threatSignature: Schema<ThreatSignature> = /*#__PURE__*/ schema(checkThreatSignature, 'com.atproto.admin.defs#threatSignature')
