// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, Schema, SubscriptionSchema, Typed, UnknownVariant } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, schema, subscription, under, unlistedVariant } from '@imago/lexicon/runtime'
import * as LabelDefs from './defs.ts'

export type Params = {
  cursor?: number
}

export type Message = Typed<Labels> | Typed<Info> | UnknownVariant

export function checkMessage(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object with a $type')
  switch (v.$type) {
    case 'com.atproto.label.subscribeLabels#labels': return checkLabels(v, m)
    case 'com.atproto.label.subscribeLabels#info': return checkInfo(v, m)
    default: return unlistedVariant(v.$type, m, '"com.atproto.label.subscribeLabels#labels" or "com.atproto.label.subscribeLabels#info"')
  }
}

export const main: SubscriptionSchema<Params, Message, Params, 'FutureCursor'> = /*#__PURE__*/ subscription({
  nsid: 'com.atproto.label.subscribeLabels',
  params: {
    cursor: { type: 'integer', check: (v) => (!isInteger(v) ? fail('', v, 'an integer') : undefined) },
  },
  message: checkMessage,
  errors: ['FutureCursor'],
})

export type Labels = {
  $type?: 'com.atproto.label.subscribeLabels#labels'
  seq: number
  labels: LabelDefs.Label[]
}

export function checkLabels(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!isInteger(x = v.seq)) return fail('/seq', x, 'an integer')
  if (!Array.isArray(x = v.labels)) return fail('/labels', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = LabelDefs.checkLabel(x[i], m))) return under(`/labels/${i}`, f)
  return undefined
}

export const labels: Schema<Labels> = /*#__PURE__*/ schema(checkLabels, 'com.atproto.label.subscribeLabels#labels')

export type Info = {
  $type?: 'com.atproto.label.subscribeLabels#info'
  name: 'OutdatedCursor' | (string & {})
  message?: string
}

export function checkInfo(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.name) !== 'string') return fail('/name', x, 'a string')
  if ((x = v.message) !== undefined && typeof x !== 'string') return fail('/message', x, 'a string')
  return undefined
}

export const info: Schema<Info> = /*#__PURE__*/ schema(checkInfo, 'com.atproto.label.subscribeLabels#info')
