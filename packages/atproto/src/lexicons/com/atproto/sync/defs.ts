// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, Schema } from '@imago/lexicon/runtime'
import { fail, schema } from '@imago/lexicon/runtime'

export type HostStatus = 'active' | 'idle' | 'offline' | 'throttled' | 'banned' | (string & {})

export function checkHostStatus(v: unknown, m: Mode): Issue | undefined {
  return typeof v !== 'string' ? fail('', v, 'a string') : undefined
}

export const hostStatus: Schema<HostStatus> = /*#__PURE__*/ schema(checkHostStatus, 'com.atproto.sync.defs#hostStatus')
