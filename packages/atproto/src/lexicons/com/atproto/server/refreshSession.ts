// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, isUnknown, procedure } from '@imago/lexicon/runtime'
import type { Did, Handle } from '@imago/syntax'
import { isDid, isHandle } from '@imago/syntax'

export type Params = {}

export type Input = undefined

export type Output = {
  accessJwt: string
  refreshJwt: string
  handle: Handle
  did: Did
  didDoc?: DataMap
  email?: string
  emailConfirmed?: boolean
  emailAuthFactor?: boolean
  active?: boolean
  status?: 'takendown' | 'suspended' | 'deactivated' | (string & {})
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.accessJwt) !== 'string') return fail('/accessJwt', x, 'a string')
  if (typeof (x = v.refreshJwt) !== 'string') return fail('/refreshJwt', x, 'a string')
  if (!isHandle(x = v.handle)) return fail('/handle', x, 'a handle')
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  if ((x = v.didDoc) !== undefined && !isUnknown(x)) return fail('/didDoc', x, 'an object, and not a blob')
  if ((x = v.email) !== undefined && typeof x !== 'string') return fail('/email', x, 'a string')
  if ((x = v.emailConfirmed) !== undefined && typeof x !== 'boolean') return fail('/emailConfirmed', x, 'a boolean')
  if ((x = v.emailAuthFactor) !== undefined && typeof x !== 'boolean') return fail('/emailAuthFactor', x, 'a boolean')
  if ((x = v.active) !== undefined && typeof x !== 'boolean') return fail('/active', x, 'a boolean')
  if ((x = v.status) !== undefined && typeof x !== 'string') return fail('/status', x, 'a string')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output, Params, 'AccountTakedown' | 'InvalidToken' | 'ExpiredToken'> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.server.refreshSession',
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['AccountTakedown', 'InvalidToken', 'ExpiredToken'],
})
