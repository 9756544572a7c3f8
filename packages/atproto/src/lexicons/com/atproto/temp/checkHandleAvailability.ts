// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema, Schema, Typed, UnknownVariant } from '@imago/lexicon/runtime'
import { fail, isDatetimeIn, isMap, query, schema, under, unlistedVariant } from '@imago/lexicon/runtime'
import type { Datetime, Handle } from '@imago/syntax'
import { isHandle } from '@imago/syntax'

export type Params = {
  handle: Handle
  email?: string
  birthDate?: Datetime
}

export type Output = {
  handle: Handle
  result: Typed<ResultAvailable> | Typed<ResultUnavailable> | UnknownVariant
}

export function checkOutputResult(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object with a $type')
  switch (v.$type) {
    case 'com.atproto.temp.checkHandleAvailability#resultAvailable': return checkResultAvailable(v, m)
    case 'com.atproto.temp.checkHandleAvailability#resultUnavailable': return checkResultUnavailable(v, m)
    default: return unlistedVariant(v.$type, m, '"com.atproto.temp.checkHandleAvailability#resultAvailable" or "com.atproto.temp.checkHandleAvailability#resultUnavailable"')
  }
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!isHandle(x = v.handle)) return fail('/handle', x, 'a handle')
  if ((f = checkOutputResult(v.result, m))) return under('/result', f)
  return undefined
}

export const main: QuerySchema<Params, Output, Params, 'InvalidEmail'> = /*#__PURE__*/ query({
  nsid: 'com.atproto.temp.checkHandleAvailability',
  params: {
    handle: { type: 'string', check: (v) => (!isHandle(v) ? fail('', v, 'a handle') : undefined), required: true },
    email: { type: 'string', check: (v) => (typeof v !== 'string' ? fail('', v, 'a string') : undefined) },
    birthDate: { type: 'string', check: (v, m) => (!isDatetimeIn(v, m) ? fail('', v, 'a datetime such as 2024-02-29T12:00:00.000Z') : undefined) },
  },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['InvalidEmail'],
})

export type ResultAvailable = {
  $type?: 'com.atproto.temp.checkHandleAvailability#resultAvailable'
}

export function checkResultAvailable(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  return undefined
}

export const resultAvailable: Schema<ResultAvailable> = /*#__PURE__*/ schema(checkResultAvailable, 'com.atproto.temp.checkHandleAvailability#resultAvailable')

export type ResultUnavailable = {
  $type?: 'com.atproto.temp.checkHandleAvailability#resultUnavailable'
  suggestions: Suggestion[]
}

export function checkResultUnavailable(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!Array.isArray(x = v.suggestions)) return fail('/suggestions', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = checkSuggestion(x[i], m))) return under(`/suggestions/${i}`, f)
  return undefined
}

export const resultUnavailable: Schema<ResultUnavailable> = /*#__PURE__*/ schema(checkResultUnavailable, 'com.atproto.temp.checkHandleAvailability#resultUnavailable')

export type Suggestion = {
  $type?: 'com.atproto.temp.checkHandleAvailability#suggestion'
  handle: Handle
  method: string
}

export function checkSuggestion(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isHandle(x = v.handle)) return fail('/handle', x, 'a handle')
  if (typeof (x = v.method) !== 'string') return fail('/method', x, 'a string')
  return undefined
}

export const suggestion: Schema<Suggestion> = /*#__PURE__*/ schema(checkSuggestion, 'com.atproto.temp.checkHandleAvailability#suggestion')
