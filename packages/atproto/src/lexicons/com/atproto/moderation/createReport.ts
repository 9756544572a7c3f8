// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Issue, Mode, ProcedureSchema, Schema, Typed, UnknownVariant } from '@imago/lexicon/runtime'
import {
  fail, isDatetimeIn, isInteger, isMap, isUnknown, longer, moreGraphemes, procedure, schema, under,
  unlistedVariant,
} from '@imago/lexicon/runtime'
import type { Datetime, Did } from '@imago/syntax'
import { isDid } from '@imago/syntax'
import * as AdminDefs from '../admin/defs.ts'
import * as ModerationDefs from './defs.ts'
import * as RepoStrongRef from '../repo/strongRef.ts'

export type Params = {}

export type Input = {
  reasonType: ModerationDefs.ReasonType
  reason?: string
  subject: Typed<AdminDefs.RepoRef> | Typed<RepoStrongRef.Main> | UnknownVariant
  modTool?: ModTool
}

export type Output = {
  id: number
  reasonType: ModerationDefs.ReasonType
  reason?: string
  subject: Typed<AdminDefs.RepoRef> | Typed<RepoStrongRef.Main> | UnknownVariant
  reportedBy: Did
  createdAt: Datetime
}

export function checkInputSubject(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object with a $type')
  switch (v.$type) {
    case 'com.atproto.admin.defs#repoRef': return AdminDefs.checkRepoRef(v, m)
    case 'com.atproto.repo.strongRef': return RepoStrongRef.checkMain(v, m)
    default: return unlistedVariant(v.$type, m, '"com.atproto.admin.defs#repoRef" or "com.atproto.repo.strongRef"')
  }
}

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if ((f = ModerationDefs.checkReasonType(v.reasonType, m))) return under('/reasonType', f)
  if ((x = v.reason) !== undefined && (typeof x !== 'string' || longer(x, 20000) || moreGraphemes(x, 2000))) return fail('/reason', x, 'a string of at most 20000 bytes and at most 2000 graphemes')
  if ((f = checkInputSubject(v.subject, m))) return under('/subject', f)
  if ((x = v.modTool) !== undefined && (f = checkModTool(x, m))) return under('/modTool', f)
  return undefined
}

export function checkOutputSubject(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object with a $type')
  switch (v.$type) {
    case 'com.atproto.admin.defs#repoRef': return AdminDefs.checkRepoRef(v, m)
    case 'com.atproto.repo.strongRef': return RepoStrongRef.checkMain(v, m)
    default: return unlistedVariant(v.$type, m, '"com.atproto.admin.defs#repoRef" or "com.atproto.repo.strongRef"')
  }
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!isInteger(x = v.id)) return fail('/id', x, 'an integer')
  if ((f = ModerationDefs.checkReasonType(v.reasonType, m))) return under('/reasonType', f)
  if ((x = v.reason) !== undefined && (typeof x !== 'string' || longer(x, 20000) || moreGraphemes(x, 2000))) return fail('/reason', x, 'a string of at most 20000 bytes and at most 2000 graphemes')
  if ((f = checkOutputSubject(v.subject, m))) return under('/subject', f)
  if (!isDid(x = v.reportedBy)) return fail('/reportedBy', x, 'a DID')
  if (!isDatetimeIn(x = v.createdAt, m)) return fail('/createdAt', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.moderation.createReport',
  input: { encoding: 'application/json', check: checkInput },
  output: { encoding: 'application/json', check: checkOutput },
})

export type ModTool = {
  $type?: 'com.atproto.moderation.createReport#modTool'
  name: string
  meta?: DataMap
}

export function checkModTool(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.name) !== 'string') return fail('/name', x, 'a string')
  if ((x = v.meta) !== undefined && !isUnknown(x)) return fail('/meta', x, 'an object, and not a blob')
  return undefined
}

export const modTool: Schema<ModTool> = /*#__PURE__*/ schema(checkModTool, 'com.atproto.moderation.createReport#modTool')
