// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Issue, Mode, ProcedureSchema, Schema, Typed } from '@imago/lexicon/runtime'
import { fail, isMap, isUnknown, longer, procedure, schema, under } from '@imago/lexicon/runtime'
import type { AtIdentifier, AtUri, CidString, Nsid, RecordKey } from '@imago/syntax'
import { isAtIdentifier, isAtUri, isCidString, isNsid, isRecordKey } from '@imago/syntax'
import * as RepoDefs from './defs.ts'

export type Params = {}

export type Input = {
  repo: AtIdentifier
  validate?: boolean
  writes: (Typed<Create> | Typed<Update> | Typed<Delete>)[]
  swapCommit?: CidString
}

export type Output = {
  commit?: RepoDefs.CommitMeta
  results?: (Typed<CreateResult> | Typed<UpdateResult> | Typed<DeleteResult>)[]
}

export function checkInputWrites(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object with a $type')
  switch (v.$type) {
    case 'com.atproto.repo.applyWrites#create': return checkCreate(v, m)
    case 'com.atproto.repo.applyWrites#update': return checkUpdate(v, m)
    case 'com.atproto.repo.applyWrites#delete': return checkDelete(v, m)
    default: return fail('/$type', v.$type, '"com.atproto.repo.applyWrites#create", "com.atproto.repo.applyWrites#update" or "com.atproto.repo.applyWrites#delete"')
  }
}

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!isAtIdentifier(x = v.repo)) return fail('/repo', x, 'a DID or handle')
  if ((x = v.validate) !== undefined && typeof x !== 'boolean') return fail('/validate', x, 'a boolean')
  if (!Array.isArray(x = v.writes)) return fail('/writes', x, 'an array')
  for (let i = 0; i < x.length; i++) if ((f = checkInputWrites(x[i], m))) return under(`/writes/${i}`, f)
  if ((x = v.swapCommit) !== undefined && !isCidString(x)) return fail('/swapCommit', x, 'a CID')
  return undefined
}

export function checkOutputResults(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object with a $type')
  switch (v.$type) {
    case 'com.atproto.repo.applyWrites#createResult': return checkCreateResult(v, m)
    case 'com.atproto.repo.applyWrites#updateResult': return checkUpdateResult(v, m)
    case 'com.atproto.repo.applyWrites#deleteResult': return checkDeleteResult(v, m)
    default: return fail('/$type', v.$type, '"com.atproto.repo.applyWrites#createResult", "com.atproto.repo.applyWrites#updateResult" or "com.atproto.repo.applyWrites#deleteResult"')
  }
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if ((x = v.commit) !== undefined && (f = RepoDefs.checkCommitMeta(x, m))) return under('/commit', f)
  if ((x = v.results) !== undefined) {
    if (!Array.isArray(x)) return fail('/results', x, 'an array')
    for (let i = 0; i < x.length; i++) if ((f = checkOutputResults(x[i], m))) return under(`/results/${i}`, f)
  }
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output, Params, 'InvalidSwap'> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.repo.applyWrites',
  input: { encoding: 'application/json', check: checkInput },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['InvalidSwap'],
})

export type Create = {
  $type?: 'com.atproto.repo.applyWrites#create'
  collection: Nsid
  rkey?: RecordKey
  value: DataMap
}

export function checkCreate(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isNsid(x = v.collection)) return fail('/collection', x, 'an NSID')
  if ((x = v.rkey) !== undefined && (!isRecordKey(x) || longer(x, 512))) return fail('/rkey', x, 'a record key of at most 512 bytes')
  if (!isUnknown(x = v.value)) return fail('/value', x, 'an object, and not a blob')
  return undefined
}

export const create: Schema<Create> = /*#__PURE__*/ schema(checkCreate, 'com.atproto.repo.applyWrites#create')

export type Update = {
  $type?: 'com.atproto.repo.applyWrites#update'
  collection: Nsid
  rkey: RecordKey
  value: DataMap
}

export function checkUpdate(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isNsid(x = v.collection)) return fail('/collection', x, 'an NSID')
  if (!isRecordKey(x = v.rkey)) return fail('/rkey', x, 'a record key')
  if (!isUnknown(x = v.value)) return fail('/value', x, 'an object, and not a blob')
  return undefined
}

export const update: Schema<Update> = /*#__PURE__*/ schema(checkUpdate, 'com.atproto.repo.applyWrites#update')

export type Delete = {
  $type?: 'com.atproto.repo.applyWrites#delete'
  collection: Nsid
  rkey: RecordKey
}

export function checkDelete(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isNsid(x = v.collection)) return fail('/collection', x, 'an NSID')
  if (!isRecordKey(x = v.rkey)) return fail('/rkey', x, 'a record key')
  return undefined
}

const delete_: Schema<Delete> = /*#__PURE__*/ schema(checkDelete, 'com.atproto.repo.applyWrites#delete')
export { delete_ as delete }

export type CreateResult = {
  $type?: 'com.atproto.repo.applyWrites#createResult'
  uri: AtUri
  cid: CidString
  validationStatus?: 'valid' | 'unknown' | (string & {})
}

export function checkCreateResult(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isAtUri(x = v.uri)) return fail('/uri', x, 'an AT-URI')
  if (!isCidString(x = v.cid)) return fail('/cid', x, 'a CID')
  if ((x = v.validationStatus) !== undefined && typeof x !== 'string') return fail('/validationStatus', x, 'a string')
  return undefined
}

export const createResult: Schema<CreateResult> = /*#__PURE__*/ schema(checkCreateResult, 'com.atproto.repo.applyWrites#createResult')

export type UpdateResult = {
  $type?: 'com.atproto.repo.applyWrites#updateResult'
  uri: AtUri
  cid: CidString
  validationStatus?: 'valid' | 'unknown' | (string & {})
}

export function checkUpdateResult(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isAtUri(x = v.uri)) return fail('/uri', x, 'an AT-URI')
  if (!isCidString(x = v.cid)) return fail('/cid', x, 'a CID')
  if ((x = v.validationStatus) !== undefined && typeof x !== 'string') return fail('/validationStatus', x, 'a string')
  return undefined
}

export const updateResult: Schema<UpdateResult> = /*#__PURE__*/ schema(checkUpdateResult, 'com.atproto.repo.applyWrites#updateResult')

export type DeleteResult = {
  $type?: 'com.atproto.repo.applyWrites#deleteResult'
}

export function checkDeleteResult(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  return undefined
}

export const deleteResult: Schema<DeleteResult> = /*#__PURE__*/ schema(checkDeleteResult, 'com.atproto.repo.applyWrites#deleteResult')
