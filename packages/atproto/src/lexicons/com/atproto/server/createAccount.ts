// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, isUnknown, procedure } from '@imago/lexicon/runtime'
import type { Did, Handle } from '@imago/syntax'
import { isDid, isHandle } from '@imago/syntax'

export type Params = {}

export type Input = {
  email?: string
  handle: Handle
  did?: Did
  inviteCode?: string
  verificationCode?: string
  verificationPhone?: string
  password?: string
  recoveryKey?: string
  plcOp?: DataMap
}

export type Output = {
  accessJwt: string
  refreshJwt: string
  handle: Handle
  did: Did
  didDoc?: DataMap
}

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if ((x = v.email) !== undefined && typeof x !== 'string') return fail('/email', x, 'a string')
  if (!isHandle(x = v.handle)) return fail('/handle', x, 'a handle')
  if ((x = v.did) !== undefined && !isDid(x)) return fail('/did', x, 'a DID')
  if ((x = v.inviteCode) !== undefined && typeof x !== 'string') return fail('/inviteCode', x, 'a string')
  if ((x = v.verificationCode) !== undefined && typeof x !== 'string') return fail('/verificationCode', x, 'a string')
  if ((x = v.verificationPhone) !== undefined && typeof x !== 'string') return fail('/verificationPhone', x, 'a string')
  if ((x = v.password) !== undefined && typeof x !== 'string') return fail('/password', x, 'a string')
  if ((x = v.recoveryKey) !== undefined && typeof x !== 'string') return fail('/recoveryKey', x, 'a string')
  if ((x = v.plcOp) !== undefined && !isUnknown(x)) return fail('/plcOp', x, 'an object, and not a blob')
  return undefined
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.accessJwt) !== 'string') return fail('/accessJwt', x, 'a string')
  if (typeof (x = v.refreshJwt) !== 'string') return fail('/refreshJwt', x, 'a string')
  if (!isHandle(x = v.handle)) return fail('/handle', x, 'a handle')
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  if ((x = v.didDoc) !== undefined && !isUnknown(x)) return fail('/didDoc', x, 'an object, and not a blob')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output, Params, 'InvalidHandle' | 'InvalidPassword' | 'InvalidInviteCode' | 'HandleNotAvailable' | 'UnsupportedDomain' | 'UnresolvableDid' | 'IncompatibleDidDoc'> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.server.createAccount',
  input: { encoding: 'application/json', check: checkInput },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['InvalidHandle', 'InvalidPassword', 'InvalidInviteCode', 'HandleNotAvailable', 'UnsupportedDomain', 'UnresolvableDid', 'IncompatibleDidDoc'],
})
