// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, Schema } from '@imago/lexicon/runtime'
import { fail, isDatetimeIn, isInteger, isMap, schema, under } from '@imago/lexicon/runtime'
import type { Datetime, Did } from '@imago/syntax'
import { isDid } from '@imago/syntax'

export type InviteCode = {
  $type?: 'com.atproto.server.defs#inviteCode'
  code: string
  available: number
  disabled: boolean
  forAccount: string
  createdBy: string
  createdAt: Datetime
  uses: InviteCodeUse[]
}

export function checkInviteCode(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (typeof (x = v.code) !== 'string') return fail('/code', x, 'a string')
  if (!isInteger(x = v.available)) return fail('/available', x, 'an integer')
  if (typeof (x = v.disabled) !== 'boolean') return fail('/disabled', x, 'a boolean')
  if (typeof (x = v.forAccount) !== 'string') return fail('/forAccount', x, 'a string')
  if (typeof (x = v.createdBy) !== 'string') return fail('/createdBy', x, 'a string')
  if (!isDatetimeIn(x = v.createdAt, m)) return fail('/createdAt', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  if (!Array.isArray(x = v.uses)) return fail('/uses', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = checkInviteCodeUse(x[i], m))) return under(`/uses/${i}`, f)
  return undefined
}

export const inviteCode: Schema<InviteCode> = /*#__PURE__*/ schema(checkInviteCode, 'com.atproto.server.defs#inviteCode')

export type InviteCodeUse = {
  $type?: 'com.atproto.server.defs#inviteCodeUse'
  usedBy: Did
  usedAt: Datetime
}

export function checkInviteCodeUse(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isDid(x = v.usedBy)) return fail('/usedBy', x, 'a DID')
  if (!isDatetimeIn(x = v.usedAt, m)) return fail('/usedAt', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  return undefined
}

export const inviteCodeUse: Schema<InviteCodeUse> = /*#__PURE__*/ schema(checkInviteCodeUse, 'com.atproto.server.defs#inviteCodeUse')
