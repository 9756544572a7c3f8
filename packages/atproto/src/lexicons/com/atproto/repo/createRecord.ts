// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, isUnknown, longer, procedure, under } from '@imago/lexicon/runtime'
import type { AtIdentifier, AtUri, CidString, Nsid, RecordKey } from '@imago/syntax'
import { isAtIdentifier, isAtUri, isCidString, isNsid, isRecordKey } from '@imago/syntax'
import * as RepoDefs from './defs.ts'

export type Params = {}

export type Input = {
  repo: AtIdentifier
  collection: Nsid
  rkey?: RecordKey
  validate?: boolean
  record: DataMap
  swapCommit?: CidString
}

export type Output = {
  uri: AtUri
  cid: CidString
  commit?: RepoDefs.CommitMeta
  validationStatus?: 'valid' | 'unknown' | (string & {})
}

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isAtIdentifier(x = v.repo)) return fail('/repo', x, 'a DID or handle')
  if (!isNsid(x = v.collection)) return fail('/collection', x, 'an NSID')
  if ((x = v.rkey) !== undefined && (!isRecordKey(x) || longer(x, 512))) return fail('/rkey', x, 'a record key of at most 512 bytes')
  if ((x = v.validate) !== undefined && typeof x !== 'boolean') return fail('/validate', x, 'a boolean')
  if (!isUnknown(x = v.record)) return fail('/record', x, 'an object, and not a blob')
  if ((x = v.swapCommit) !== undefined && !isCidString(x)) return fail('/swapCommit', x, 'a CID')
  return undefined
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!isAtUri(x = v.uri)) return fail('/uri', x, 'an AT-URI')
  if (!isCidString(x = v.cid)) return fail('/cid', x, 'a CID')
  if ((x = v.commit) !== undefined && (f = RepoDefs.checkCommitMeta(x, m))) return under('/commit', f)
  if ((x = v.validationStatus) !== undefined && typeof x !== 'string') return fail('/validationStatus', x, 'a string')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output, Params, 'InvalidSwap'> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.repo.createRecord',
  input: { encoding: 'application/json', check: checkInput },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['InvalidSwap'],
})
