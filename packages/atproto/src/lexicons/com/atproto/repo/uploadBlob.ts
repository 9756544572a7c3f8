// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { BlobRef } from '@imago/data'
import type { Issue, Mode, ProcedureSchema, RawBody } from '@imago/lexicon/runtime'
import { fail, isBlob, isMap, procedure } from '@imago/lexicon/runtime'

export type Params = {}

export type Input = RawBody

export type Output = {
  blob: BlobRef
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isBlob(x = v.blob, m)) return fail('/blob', x, 'a blob')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.repo.uploadBlob',
  input: { encoding: '*/*' },
  output: { encoding: 'application/json', check: checkOutput },
})
