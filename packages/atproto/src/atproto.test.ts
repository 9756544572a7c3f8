import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfDrisl } from '@imago/data'
import type { Did, Handle } from '@imago/syntax'
import { com, methodNsids } from './index.ts'
import * as subscribeRepos from './lexicons/com/atproto/sync/subscribeRepos.ts'

test('every method is reached by its NSID, and knows its own', () => {
  assert.ok(methodNsids.length >= 86)
  for (const nsid of methodNsids) {
    const [, , group, name] = nsid.split('.') as [string, string, keyof typeof com.atproto, string]
    const { main } = (com.atproto[group] as Record<string, { main?: { nsid?: string } }>)[name]!
    assert.equal(main?.nsid, nsid)
  }
})

test('records, definitions, tokens and reserved words are exports of their document', () => {
  assert.equal(com.atproto.lexicon.schema.main.keyRule, 'nsid')
  assert.ok(com.atproto.lexicon.schema.main.is({ $type: 'com.atproto.lexicon.schema', lexicon: 1 }))
  assert.equal(com.atproto.moderation.defs.reasonSpam, 'com.atproto.moderation.defs#reasonSpam')
  assert.ok(com.atproto.repo.applyWrites.delete.is({ collection: 'com.example.thing', rkey: 'self' }))
})

test('parameters: defaults, and types that fit both sides', () => {
  const { params } = com.atproto.sync.listRepos.main
  const decoded = params.decode(new URLSearchParams('cursor=x'))
  assert.ok(decoded.ok)
  const limit: number = decoded.value.limit
  assert.equal(limit, 500)
  assert.equal(params.encode({ cursor: 'x' }).toString(), 'limit=500&cursor=x')
})

const LINK = cidOfDrisl(new Uint8Array([0xa0]))

test('messages of a subscription narrow by $type', () => {
  const did: Did = 'did:plc:abc'
  const handle: Handle = 'alice.test'
  const name = (message: subscribeRepos.Message): string => {
    switch (message.$type) {
      case 'com.atproto.sync.subscribeRepos#commit':
        return message.repo
      case 'com.atproto.sync.subscribeRepos#identity':
        return message.handle ?? 'no handle'
      default:
        return message.$type
    }
  }
  const time = '2024-01-01T00:00:00Z'
  const identity = { $type: 'com.atproto.sync.subscribeRepos#identity', seq: 1, did, time, handle } as const
  assert.equal(subscribeRepos.main.message.check(identity), undefined)
  assert.equal(name(identity), 'alice.test')
  const later = subscribeRepos.main.message.parse({ $type: 'com.atproto.sync.subscribeRepos#later' })
  assert.equal(name(later), 'com.atproto.sync.subscribeRepos#later')
})

test('issues point into nested values', () => {
  const commit: subscribeRepos.Commit = {
    seq: 1,
    rebase: false,
    tooBig: false,
    repo: 'did:plc:abc',
    commit: LINK,
    rev: '3jzfcijpj2z2a',
    since: null,
    blocks: new Uint8Array(),
    ops: [{ action: 'create', path: 'com.example.thing/a', cid: LINK }],
    blobs: [],
    time: '2024-01-01T00:00:00Z',
  }
  assert.equal(subscribeRepos.checkCommit(commit, 'closed'), undefined)
  commit.ops.push({ action: 'delete', path: 'com.example.thing/b', cid: 'none' as never })
  assert.deepEqual(subscribeRepos.checkCommit(commit, 'strict'), {
    path: '/ops/1/cid',
    message: 'must be a link (CID), not "none"',
  })
})

test('the names of a method’s errors are in its type, for a client to narrow by', () => {
  const { errors } = com.atproto.sync.getRepo.main
  const name: 'RepoNotFound' | 'RepoTakendown' | 'RepoSuspended' | 'RepoDeactivated' = errors[0]!
  assert.equal(name, 'RepoNotFound')
  // @ts-expect-error an error that the method does not have
  const other: (typeof errors)[number] = 'HandleNotFound'
  assert.ok(!errors.includes(other))
})
