// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, QuerySchema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, query } from '@imago/lexicon/runtime'
import type { CidString } from '@imago/syntax'
import { isCidString } from '@imago/syntax'

export type Params = {}

export type Output = {
  activated: boolean
  validDid: boolean
  repoCommit: CidString
  repoRev: string
  repoBlocks: number
  indexedRecords: number
  privateStateValues: number
  expectedBlobs: number
  importedBlobs: number
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.activated) !== 'boolean') return fail('/activated', x, 'a boolean')
  if (typeof (x = v.validDid) !== 'boolean') return fail('/validDid', x, 'a boolean')
  if (!isCidString(x = v.repoCommit)) return fail('/repoCommit', x, 'a CID')
  if (typeof (x = v.repoRev) !== 'string') return fail('/repoRev', x, 'a string')
  if (!isInteger(x = v.repoBlocks)) return fail('/repoBlocks', x, 'an integer')
  if (!isInteger(x = v.indexedRecords)) return fail('/indexedRecords', x, 'an integer')
  if (!isInteger(x = v.privateStateValues)) return fail('/privateStateValues', x, 'an integer')
  if (!isInteger(x = v.expectedBlobs)) return fail('/expectedBlobs', x, 'an integer')
  if (!isInteger(x = v.importedBlobs)) return fail('/importedBlobs', x, 'an integer')
  return undefined
}

export const main: QuerySchema<Params, Output> = /*#__PURE__*/ query({
  nsid: 'com.atproto.server.checkAccountStatus',
  output: { encoding: 'application/json', check: checkOutput },
})
