// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema, Schema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, query, schema, under } from '@imago/lexicon/runtime'
import type { Did, Uri } from '@imago/syntax'
import { isDid, isUri } from '@imago/syntax'

export type Params = {}

export type Output = {
  inviteCodeRequired?: boolean
  phoneVerificationRequired?: boolean
  blobUploadLimit?: number
  availableUserDomains: string[]
  links?: Links
  contact?: Contact
  did: Did
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if ((x = v.inviteCodeRequired) !== undefined && typeof x !== 'boolean') return fail('/inviteCodeRequired', x, 'a boolean')
  if ((x = v.phoneVerificationRequired) !== undefined && typeof x !== 'boolean') return fail('/phoneVerificationRequired', x, 'a boolean')
  if ((x = v.blobUploadLimit) !== undefined && !isInteger(x)) return fail('/blobUploadLimit', x, 'an integer')
  if (!Array.isArray(x = v.availableUserDomains)) return fail('/availableUserDomains', x, 'an array')
  for (let i = 0; i < x.length; i++) if (typeof x[i] !== 'string') return fail(`/availableUserDomains/${i}`, x[i], 'a string')
  if ((x = v.links) !== undefined && (f = checkLinks(x, m))) return under('/links', f)
  if ((x = v.contact) !== undefined && (f = checkContact(x, m))) return under('/contact', f)
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  return undefined
}

export const main: QuerySchema<Params, Output> = /*#__PURE__*/ query({
  nsid: 'com.atproto.server.describeServer',
  output: { encoding: 'application/json', check: checkOutput },
})

export type Links = {
  $type?: 'com.atproto.server.describeServer#links'
  privacyPolicy?: Uri
  termsOfService?: Uri
}

export function checkLinks(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if ((x = v.privacyPolicy) !== undefined && !isUri(x)) return fail('/privacyPolicy', x, 'a URI')
  if ((x = v.termsOfService) !== undefined && !isUri(x)) return fail('/termsOfService', x, 'a URI')
  return undefined
}

export const links: Schema<Links> = /*#__PURE__*/ schema(checkLinks, 'com.atproto.server.describeServer#links')

export type Contact = {
  $type?: 'com.atproto.server.describeServer#contact'
  email?: string
}

export function checkContact(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if ((x = v.email) !== undefined && typeof x !== 'string') return fail('/email', x, 'a string')
  return undefined
}

export const contact: Schema<Contact> = /*#__PURE__*/ schema(checkContact, 'com.atproto.server.describeServer#contact')
