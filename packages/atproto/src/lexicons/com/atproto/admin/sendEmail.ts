// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, procedure } from '@imago/lexicon/runtime'
import type { Did } from '@imago/syntax'
import { isDid } from '@imago/syntax'

export type Params = {}

export type Input = {
  recipientDid: Did
  content: string
  subject?: string
  senderDid: Did
  comment?: string
}

export type Output = {
  sent: boolean
}

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isDid(x = v.recipientDid)) return fail('/recipientDid', x, 'a DID')
  if (typeof (x = v.content) !== 'string') return fail('/content', x, 'a string')
  if ((x = v.subject) !== undefined && typeof x !== 'string') return fail('/subject', x, 'a string')
  if (!isDid(x = v.senderDid)) return fail('/senderDid', x, 'a DID')
  if ((x = v.comment) !== undefined && typeof x !== 'string') return fail('/comment', x, 'a string')
  return undefined
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.sent) !== 'boolean') return fail('/sent', x, 'a boolean')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.admin.sendEmail',
  input: { encoding: 'application/json', check: checkInput },
  output: { encoding: 'application/json', check: checkOutput },
})
