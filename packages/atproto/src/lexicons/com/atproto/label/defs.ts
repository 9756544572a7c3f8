// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, Schema } from '@imago/lexicon/runtime'
import {
  fail, isBytes, isDatetimeIn, isInteger, isMap, longer, moreGraphemes, schema, under,
} from '@imago/lexicon/runtime'
import type { CidString, Datetime, Did, Language, Uri } from '@imago/syntax'
import { isCidString, isDid, isLanguage, isUri } from '@imago/syntax'

export type Label = {
  $type?: 'com.atproto.label.defs#label'
  ver?: number
  src: Did
  uri: Uri
  cid?: CidString
  val: string
  neg?: boolean
  cts: Datetime
  exp?: Datetime
  sig?: Uint8Array
}

export function checkLabel(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if ((x = v.ver) !== undefined && !isInteger(x)) return fail('/ver', x, 'an integer')
  if (!isDid(x = v.src)) return fail('/src', x, 'a DID')
  if (!isUri(x = v.uri)) return fail('/uri', x, 'a URI')
  if ((x = v.cid) !== undefined && !isCidString(x)) return fail('/cid', x, 'a CID')
  if (typeof (x = v.val) !== 'string' || longer(x, 128)) return fail('/val', x, 'a string of at most 128 bytes')
  if ((x = v.neg) !== undefined && typeof x !== 'boolean') return fail('/neg', x, 'a boolean')
  if (!isDatetimeIn(x = v.cts, m)) return fail('/cts', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  if ((x = v.exp) !== undefined && !isDatetimeIn(x, m)) return fail('/exp', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  if ((x = v.sig) !== undefined && !isBytes(x)) return fail('/sig', x, 'bytes')
  return undefined
}

export const label: Schema<Label> = /*#__PURE__*/ schema(checkLabel, 'com.atproto.label.defs#label')

export type SelfLabels = {
  $type?: 'com.atproto.label.defs#selfLabels'
  values: SelfLabel[]
}

export function checkSelfLabels(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!Array.isArray(x = v.values) || x.length > 10) return fail('/values', x, 'an array of at most 10 items')
  for (let i = 0; i < x.length; i++) if ((f = checkSelfLabel(x[i], m))) return under(`/values/${i}`, f)
  return undefined
}

export const selfLabels: Schema<SelfLabels> = /*#__PURE__*/ schema(checkSelfLabels, 'com.atproto.label.defs#selfLabels')

export type SelfLabel = {
  $type?: 'com.atproto.label.defs#selfLabel'
  val: string
}

export function checkSelfLabel(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.val) !== 'string' || longer(x, 128)) return fail('/val', x, 'a string of at most 128 bytes')
  return undefined
}

export const selfLabel: Schema<SelfLabel> = /*#__PURE__*/ schema(checkSelfLabel, 'com.atproto.label.defs#selfLabel')

export type LabelValueDefinition = {
  $type?: 'com.atproto.label.defs#labelValueDefinition'
  identifier: string
  severity: 'inform' | 'alert' | 'none' | (string & {})
  blurs: 'content' | 'media' | 'none' | (string & {})
  defaultSetting?: 'ignore' | 'warn' | 'hide' | (string & {})
  adultOnly?: boolean
  locales: LabelValueDefinitionStrings[]
}

export function checkLabelValueDefinition(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (typeof (x = v.identifier) !== 'string' || longer(x, 100) || moreGraphemes(x, 100)) return fail('/identifier', x, 'a string of at most 100 bytes and at most 100 graphemes')
  if (typeof (x = v.severity) !== 'string') return fail('/severity', x, 'a string')
  if (typeof (x = v.blurs) !== 'string') return fail('/blurs', x, 'a string')
  if ((x = v.defaultSetting) !== undefined && typeof x !== 'string') return fail('/defaultSetting', x, 'a string')
  if ((x = v.adultOnly) !== undefined && typeof x !== 'boolean') return fail('/adultOnly', x, 'a boolean')
  if (!Array.isArray(x = v.locales)) return fail('/locales', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = checkLabelValueDefinitionStrings(x[i], m))) return under(`/locales/${i}`, f)
  return undefined
}

export const labelValueDefinition: Schema<LabelValueDefinition> = /*#__PURE__*/ schema(checkLabelValueDefinition, 'com.atproto.label.defs#labelValueDefinition')

export type LabelValueDefinitionStrings = {
  $type?: 'com.atproto.label.defs#labelValueDefinitionStrings'
  lang: Language
  name: string
  description: string
}

export function checkLabelValueDefinitionStrings(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isLanguage(x = v.lang)) return fail('/lang', x, 'a language tag')
  if (typeof (x = v.name) !== 'string' || longer(x, 640) || moreGraphemes(x, 64)) return fail('/name', x, 'a string of at most 640 bytes and at most 64 graphemes')
  if (typeof (x = v.description) !== 'string' || longer(x, 100000) || moreGraphemes(x, 10000)) return fail('/description', x, 'a string of at most 100000 bytes and at most 10000 graphemes')
  return undefined
}

export const labelValueDefinitionStrings: Schema<LabelValueDefinitionStrings> = /*#__PURE__*/ schema(checkLabelValueDefinitionStrings, 'com.atproto.label.defs#labelValueDefinitionStrings')

export type LabelValue =
  | '!hide'
  | '!warn'
  | '!no-unauthenticated'
  | 'porn'
  | 'sexual'
  | 'nudity'
  | 'graphic-media'
  | 'bot'
  | (string & {})

export function checkLabelValue(v: unknown, m: Mode): Issue | undefined {
  return typeof v !== 'string' ? fail('', v, 'a string') : undefined
}

export const labelValue: Schema<LabelValue> = /*#__PURE__*/ schema(checkLabelValue, 'com.atproto.label.defs#labelValue')
