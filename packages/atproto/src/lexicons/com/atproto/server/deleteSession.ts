// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { ProcedureSchema } from '@imago/lexicon/runtime'
import { procedure } from '@imago/lexicon/runtime'

export type Params = {}

export type Input = undefined

export type Output = undefined

export const main: ProcedureSchema<Params, Input, Output, Params, 'InvalidToken' | 'ExpiredToken'> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.server.deleteSession',
  errors: ['InvalidToken', 'ExpiredToken'],
})
