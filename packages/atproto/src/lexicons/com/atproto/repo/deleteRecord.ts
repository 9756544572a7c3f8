// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, procedure, under } from '@imago/lexicon/runtime'
import type { AtIdentifier, CidString, Nsid, RecordKey } from '@imago/syntax'
import { isAtIdentifier, isCidString, isNsid, isRecordKey } from '@imago/syntax'
import * as RepoDefs from './defs.ts'

export type Params = {}

export type Input = {
  repo: AtIdentifier
  collection: Nsid
  rkey: RecordKey
  swapRecord?: CidString
  swapCommit?: CidString
}

export type Output = {
  commit?: RepoDefs.CommitMeta
}

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isAtIdentifier(x = v.repo)) return fail('/repo', x, 'a DID or handle')
  if (!isNsid(x = v.collection)) return fail('/collection', x, 'an NSID')
  if (!isRecordKey(x = v.rkey)) return fail('/rkey', x, 'a record key')
  if ((x = v.swapRecord) !== undefined && !isCidString(x)) return fail('/swapRecord', x, 'a CID')
  if ((x = v.swapCommit) !== undefined && !isCidString(x)) return fail('/swapCommit', x, 'a CID')
  return undefined
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if ((x = v.commit) !== undefined && (f = RepoDefs.checkCommitMeta(x, m))) return under('/commit', f)
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output, Params, 'InvalidSwap'> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.repo.deleteRecord',
  input: { encoding: 'application/json', check: checkInput },
  output: { encoding: 'application/json', check: checkOutput },
  errors: ['InvalidSwap'],
})
