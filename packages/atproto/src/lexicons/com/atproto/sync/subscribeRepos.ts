// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Cid } from '@imago/data'
import { isCid } from '@imago/data'
import type { Issue, Mode, Schema, SubscriptionSchema, Typed, UnknownVariant } from '@imago/lexicon/runtime'
import {
  fail, isBytes, isDatetimeIn, isInteger, isMap, schema, subscription, under, unlistedVariant,
} from '@imago/lexicon/runtime'
import type { Datetime, Did, Handle, Tid } from '@imago/syntax'
import { isDid, isHandle, isTid } from '@imago/syntax'

export type Params = {
  cursor?: number
}

export type Message =
  | Typed<Commit>
  | Typed<Sync>
  | Typed<Identity>
  | Typed<Account>
  | Typed<Info>
  | UnknownVariant

export function checkMessage(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object with a $type')
  switch (v.$type) {
    case 'com.atproto.sync.subscribeRepos#commit': return checkCommit(v, m)
    case 'com.atproto.sync.subscribeRepos#sync': return checkSync(v, m)
    case 'com.atproto.sync.subscribeRepos#identity': return checkIdentity(v, m)
    case 'com.atproto.sync.subscribeRepos#account': return checkAccount(v, m)
    case 'com.atproto.sync.subscribeRepos#info': return checkInfo(v, m)
    default: return unlistedVariant(v.$type, m, '"com.atproto.sync.subscribeRepos#commit", "com.atproto.sync.subscribeRepos#sync", "com.atproto.sync.subscribeRepos#identity", "com.atproto.sync.subscribeRepos#account" or "com.atproto.sync.subscribeRepos#info"')
  }
}

export const main: SubscriptionSchema<Params, Message, Params, 'FutureCursor' | 'ConsumerTooSlow'> = /*#__PURE__*/ subscription({
  nsid: 'com.atproto.sync.subscribeRepos',
  params: {
    cursor: { type: 'integer', check: (v) => (!isInteger(v) ? fail('', v, 'an integer') : undefined) },
  },
  message: checkMessage,
  errors: ['FutureCursor', 'ConsumerTooSlow'],
})

export type Commit = {
  $type?: 'com.atproto.sync.subscribeRepos#commit'
  seq: number
  rebase: boolean
  tooBig: boolean
  repo: Did
  commit: Cid
  rev: Tid
  since: Tid | null
  blocks: Uint8Array
  ops: RepoOp[]
  blobs: Cid[]
  prevData?: Cid
  time: Datetime
}

export function checkCommit(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown, f: Issue | undefined
  if (!isInteger(x = v.seq)) return fail('/seq', x, 'an integer')
  if (typeof (x = v.rebase) !== 'boolean') return fail('/rebase', x, 'a boolean')
  if (typeof (x = v.tooBig) !== 'boolean') return fail('/tooBig', x, 'a boolean')
  if (!isDid(x = v.repo)) return fail('/repo', x, 'a DID')
  if (!isCid(x = v.commit)) return fail('/commit', x, 'a link (CID)')
  if (!isTid(x = v.rev)) return fail('/rev', x, 'a TID')
  if ((x = v.since) !== null && !isTid(x)) return fail('/since', x, 'a TID')
  if (!isBytes(x = v.blocks, 0, 2000000)) return fail('/blocks', x, 'at most 2000000 bytes')
  if (!Array.isArray(x = v.ops) || x.length > 200) return fail('/ops', x, 'an array of at most 200 items')
  for (let i = 0; i < x.length; i++) if ((f = checkRepoOp(x[i], m))) return under(`/ops/${i}`, f)
  if (!Array.isArray(x = v.blobs)) return fail('/blobs', x, 'an array')
  for (let i = 0; i < x.length; i++) if (!isCid(x[i])) return fail(`/blobs/${i}`, x[i], 'a link (CID)')
  if ((x = v.prevData) !== undefined && !isCid(x)) return fail('/prevData', x, 'a link (CID)')
  if (!isDatetimeIn(x = v.time, m)) return fail('/time', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  return undefined
}

export const commit: Schema<Commit> = /*#__PURE__*/ schema(checkCommit, 'com.atproto.sync.subscribeRepos#commit')

export type Sync = {
  $type?: 'com.atproto.sync.subscribeRepos#sync'
  seq: number
  did: Did
  blocks: Uint8Array
  rev: string
  time: Datetime
}

export function checkSync(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isInteger(x = v.seq)) return fail('/seq', x, 'an integer')
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  if (!isBytes(x = v.blocks, 0, 10000)) return fail('/blocks', x, 'at most 10000 bytes')
  if (typeof (x = v.rev) !== 'string') return fail('/rev', x, 'a string')
  if (!isDatetimeIn(x = v.time, m)) return fail('/time', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  return undefined
}

export const sync: Schema<Sync> = /*#__PURE__*/ schema(checkSync, 'com.atproto.sync.subscribeRepos#sync')

export type Identity = {
  $type?: 'com.atproto.sync.subscribeRepos#identity'
  seq: number
  did: Did
  time: Datetime
  handle?: Handle
}

export function checkIdentity(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isInteger(x = v.seq)) return fail('/seq', x, 'an integer')
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  if (!isDatetimeIn(x = v.time, m)) return fail('/time', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  if ((x = v.handle) !== undefined && !isHandle(x)) return fail('/handle', x, 'a handle')
  return undefined
}

export const identity: Schema<Identity> = /*#__PURE__*/ schema(checkIdentity, 'com.atproto.sync.subscribeRepos#identity')

export type Account = {
  $type?: 'com.atproto.sync.subscribeRepos#account'
  seq: number
  did: Did
  time: Datetime
  active: boolean
  status?: 'takendown' | 'suspended' | 'deleted' | 'deactivated' | 'desynchronized' | 'throttled' | (string & {})
}

export function checkAccount(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isInteger(x = v.seq)) return fail('/seq', x, 'an integer')
  if (!isDid(x = v.did)) return fail('/did', x, 'a DID')
  if (!isDatetimeIn(x = v.time, m)) return fail('/time', x, 'a datetime such as 2024-02-29T12:00:00.000Z')
  if (typeof (x = v.active) !== 'boolean') return fail('/active', x, 'a boolean')
  if ((x = v.status) !== undefined && typeof x !== 'string') return fail('/status', x, 'a string')
  return undefined
}

export const account: Schema<Account> = /*#__PURE__*/ schema(checkAccount, 'com.atproto.sync.subscribeRepos#account')

export type Info = {
  $type?: 'com.atproto.sync.subscribeRepos#info'
  name: 'OutdatedCursor' | (string & {})
  message?: string
}

export function checkInfo(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.name) !== 'string') return fail('/name', x, 'a string')
  if ((x = v.message) !== undefined && typeof x !== 'string') return fail('/message', x, 'a string')
  return undefined
}

export const info: Schema<Info> = /*#__PURE__*/ schema(checkInfo, 'com.atproto.sync.subscribeRepos#info')

export type RepoOp = {
  $type?: 'com.atproto.sync.subscribeRepos#repoOp'
  action: 'create' | 'update' | 'delete' | (string & {})
  path: string
  cid: Cid | null
  prev?: Cid
}

export function checkRepoOp(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (typeof (x = v.action) !== 'string') return fail('/action', x, 'a string')
  if (typeof (x = v.path) !== 'string') return fail('/path', x, 'a string')
  if ((x = v.cid) !== null && !isCid(x)) return fail('/cid', x, 'a link (CID)')
  if ((x = v.prev) !== undefined && !isCid(x)) return fail('/prev', x, 'a link (CID)')
  return undefined
}

export const repoOp: Schema<RepoOp> = /*#__PURE__*/ schema(checkRepoOp, 'com.atproto.sync.subscribeRepos#repoOp')
