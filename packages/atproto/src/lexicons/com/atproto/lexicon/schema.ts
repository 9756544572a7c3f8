// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, RecordSchema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, record } from '@imago/lexicon/runtime'

export type Main = {
  $type: 'com.atproto.lexicon.schema'
  lexicon: number
}

export function checkMain(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  if (v.$type !== 'com.atproto.lexicon.schema') return fail('/$type', v.$type, '"com.atproto.lexicon.schema"')
  let x: unknown
  if (!isInteger(x = v.lexicon)) return fail('/lexicon', x, 'an integer')
  return undefined
}

export const main: RecordSchema<Main> = /*#__PURE__*/ record('com.atproto.lexicon.schema', 'nsid', checkMain)
