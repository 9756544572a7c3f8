import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfDrisl, encode, fromJson } from '@imago/data'
import { createCatalog, parseLexiconDocument } from '@imago/lexicon'
import { isTid } from '@imago/syntax'
import { LexiconResolutionError, type LexiconResolver } from '../src/records/lexicon-resolver.ts'
import { openTestPds, type TestPds } from './test-pds.ts'

const NOTE = 'com.example.note'
const repo = (name: string) => `com.atproto.repo.${name}`

async function withAlice(options?: Parameters<typeof openTestPds>[0]) {
  const pds = await openTestPds(options)
  const alice = await pds.createAccount('alice')
  const write = (name: string, body: object) =>
    pds.procedure(repo(name), { token: alice.accessJwt, body: { repo: alice.did, ...body } })
  const seq = async () => (await pds.events()).at(-1)!.body['seq'] as number
  return { pds, alice, write, seq, [Symbol.asyncDispose]: () => pds[Symbol.asyncDispose]() }
}

const get = (pds: TestPds, did: string, rkey: string) =>
  pds.query(repo('getRecord'), { params: { repo: did, collection: NOTE, rkey } })

test('[R1] createRecord mints a TID, fills in $type, and answers where it is and in which commit', async () => {
  await using all = await withAlice()
  const { pds, alice, write } = all
  const { status, body } = await write('createRecord', { collection: NOTE, record: { text: 'hello' } })
  assert.equal(status, 200)
  const rkey = body.uri.split('/').at(-1)
  assert.ok(isTid(rkey))
  assert.equal(body.uri, `at://${alice.did}/${NOTE}/${rkey}`)
  assert.equal(body.validationStatus, 'unknown')
  const value = { $type: NOTE, text: 'hello' }
  assert.equal(body.cid, cidOfDrisl(encode(value)).toString())
  assert.deepEqual((await get(pds, alice.did, rkey)).body, { uri: body.uri, cid: body.cid, value })
  const latest = await pds.query('com.atproto.sync.getLatestCommit', { params: { did: alice.did } })
  assert.deepEqual(latest.body, body.commit)
})

test('[R1] a repository is written to by its owner only, by DID or handle', async () => {
  await using all = await withAlice()
  const { pds, alice, write } = all
  const bob = await pds.createAccount('bob')
  const record = { collection: NOTE, record: {} }
  assert.equal((await write('createRecord', { repo: 'ALICE.test', ...record })).status, 200)
  for (const other of [bob.did, 'bob.test', 'nobody.test']) {
    const { status, body } = await write('createRecord', { repo: other, ...record })
    assert.deepEqual([status, body.error], [400, 'InvalidRequest'], other)
  }
  const anonymous = await pds.procedure(repo('createRecord'), { body: { repo: alice.did, ...record } })
  assert.deepEqual([anonymous.status, anonymous.body.error], [401, 'AuthMissing'])
})

test('[R1] swapCommit lets a write pass only on the commit that the caller saw', async () => {
  await using all = await withAlice()
  const { write } = all
  const first = await write('createRecord', { collection: NOTE, record: { n: 1 } })
  const swapCommit = first.body.commit.cid
  assert.equal((await write('createRecord', { collection: NOTE, record: { n: 2 }, swapCommit })).status, 200)
  const stale = await write('createRecord', { collection: NOTE, record: { n: 3 }, swapCommit })
  assert.deepEqual([stale.status, stale.body.error], [400, 'InvalidSwap'])
})

test('[R1] a record that is there already is not created again', async () => {
  await using all = await withAlice()
  const { write } = all
  await write('createRecord', { collection: NOTE, rkey: 'self', record: {} })
  const { status, body } = await write('createRecord', { collection: NOTE, rkey: 'self', record: {} })
  assert.deepEqual([status, body.error], [400, 'InvalidRequest'])
  assert.match(body.message, /com\.example\.note\/self/)
})

test('[R1] validate: a known schema counts unless switched off, an unknown one only when asked for', async () => {
  await using all = await withAlice()
  const { write } = all
  const collection = 'com.atproto.lexicon.schema'
  const rkey = 'com.example.note'
  const create = (validate: boolean | undefined, body: object) =>
    write('putRecord', { collection, rkey, ...(validate !== undefined && { validate }), ...body })
  const good = { record: { lexicon: 1, id: rkey, defs: {} } }
  assert.equal((await create(undefined, good)).body.validationStatus, 'valid')
  assert.equal((await create(true, good)).body.validationStatus, 'valid')
  assert.equal('validationStatus' in (await create(false, good)).body, false)
  const bad = { record: { lexicon: 'one' } }
  for (const validate of [undefined, true]) {
    const { status, body } = await create(validate, bad)
    assert.deepEqual([status, body.error], [400, 'InvalidRequest'])
    assert.match(body.message, /record\/lexicon/)
  }
  assert.equal((await create(false, bad)).status, 200)
  const key = await write('putRecord', { collection, rkey: 'nodots', ...good })
  assert.match(key.body.message, /record key/)
  const unknown = await write('createRecord', { collection: NOTE, record: {}, validate: true })
  assert.equal(unknown.status, 400)
  assert.match(unknown.body.message, /schema of com\.example\.note is not known/)
})

test('[R1] what the data model cannot hold is refused also without a schema, and leaves no trace', async () => {
  await using all = await withAlice()
  const { write, seq } = all
  const before = await seq()
  const refused: [what: string, record: object, message: RegExp][] = [
    ['another $type', { $type: 'com.example.other' }, /must be the same/],
    ['a float', { n: 1.5 }, /1\.5/],
    ['a blob of the old form', { image: { cid: 'bafkreib', mimeType: 'image/png' } }, /old records only/],
    ['half a blob', { image: { $type: 'blob', mimeType: 'image/png' } }, /blob/],
    [
      'a blob that is a record',
      {
        image: {
          $type: 'blob',
          ref: { $link: cidOfDrisl(encode({})).toString() },
          mimeType: 'image/png',
          size: 1,
        },
      },
      /not of a blob/,
    ],
    ['too much', { text: 'x'.repeat(1_000_100) }, /at most 1000000/],
    ['too deep', Array.from({ length: 40 }).reduce<object>((inner) => ({ inner }), {}), /32 levels/],
  ]
  for (const [what, record, message] of refused) {
    const { status, body } = await write('createRecord', { collection: NOTE, record, validate: false })
    assert.deepEqual([status, body.error], [400, 'InvalidRequest'], what)
    assert.match(body.message, message, what)
  }
  const key = await write('createRecord', { collection: NOTE, rkey: 'a/b', record: {} })
  assert.equal(key.status, 400)
  const large = await write('createRecord', { collection: NOTE, record: { text: 'x'.repeat(1_100_000) } })
  assert.deepEqual([large.status, large.body.error], [413, 'PayloadTooLarge'])
  assert.equal(await seq(), before)
})

test('[R1] a second like of one post, or follow of one person, replaces the first in the same commit', async () => {
  await using all = await withAlice()
  const { pds, write, seq } = all
  const uri = 'at://did:plc:bob/app.bsky.feed.post/one'
  const cases: [collection: string, subject: unknown, other: unknown][] = [
    ['app.bsky.feed.like', { uri, cid: 'bafyreia' }, { uri: `${uri}x`, cid: 'bafyreia' }],
    ['app.bsky.graph.follow', 'did:plc:bob', 'did:plc:carol'],
  ]
  for (const [collection, subject, other] of cases) {
    const like = (about: unknown, validate?: boolean) =>
      write('createRecord', { collection, validate, record: { subject: about } })
    const first = await like(subject)
    await like(other)
    const before = await seq()
    assert.equal((await like(subject)).status, 200)
    const [event, ...more] = await pds.events(before)
    assert.equal(more.length, 0)
    assert.deepEqual(event!.body['ops'].map((op: Record<string, unknown>) => op['action']).sort(), [
      'create',
      'delete',
    ])
    const params = { repo: 'alice.test', collection }
    const list = async () => (await pds.query(repo('listRecords'), { params })).body.records
    assert.equal((await list()).length, 2)
    assert.ok(!(await list()).some((record: Record<string, unknown>) => record['uri'] === first.body.uri))
    // Who switches validation off gets what was asked for.
    await like(subject, false)
    assert.equal((await list()).length, 3)
    await like(subject)
    assert.equal((await list()).length, 2)
  }
})

test('[R1] of likes of one post that come at the same time, one is left', async () => {
  await using all = await withAlice()
  const { pds, write, seq } = all
  const before = await seq()
  const collection = 'app.bsky.feed.like'
  const like = (uri: string) =>
    write('createRecord', { collection, record: { subject: { uri, cid: 'bafyreia' } } })
  const post = 'at://did:plc:bob/app.bsky.feed.post/one'
  const answers = await Promise.all([like(post), like(post), like(`${post}x`), like(post)])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200],
  )
  const { records } = (await pds.query(repo('listRecords'), { params: { repo: 'alice.test', collection } }))
    .body
  assert.equal(records.length, 2)
  const deletions = (await pds.events(before)).flatMap(({ body }) =>
    body['ops'].filter((op: Record<string, unknown>) => op['action'] === 'delete'),
  )
  assert.equal(deletions.length, 2)
})

test('[R1] [R4] validate: true asks the network for a schema that is not known here, and says what came of it', async () => {
  const asked: string[] = []
  const catalog = createCatalog([
    parseLexiconDocument({
      lexicon: 1,
      id: NOTE,
      defs: {
        main: {
          type: 'record',
          key: 'tid',
          record: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
        },
      },
    }),
  ])
  const lexicons: Pick<LexiconResolver, 'record'> = {
    async record(nsid) {
      asked.push(nsid)
      const found = catalog.record(nsid)
      if (found === undefined)
        throw new LexiconResolutionError('NotFound', `the schema of ${nsid} cannot be found: nobody has it`)
      return found
    },
  }
  await using all = await withAlice({ ports: { lexicons: lexicons as LexiconResolver } })
  const { write } = all
  const create = (record: object, validate?: boolean, collection = NOTE) =>
    write('createRecord', { collection, record, ...(validate !== undefined && { validate }) })
  assert.equal((await create({}, undefined)).body.validationStatus, 'unknown')
  assert.equal('validationStatus' in (await create({}, false)).body, false)
  assert.deepEqual(asked, [])
  assert.equal((await create({ text: 'hello' }, true)).body.validationStatus, 'valid')
  assert.deepEqual(asked, [NOTE])
  const bad = await create({ text: 5 }, true)
  assert.deepEqual([bad.status, bad.body.error], [400, 'InvalidRequest'])
  assert.match(bad.body.message, /record\/text must be a string/)
  const nowhere = await create({}, true, 'com.example.other')
  assert.deepEqual([nowhere.status, nowhere.body.error], [400, 'InvalidRequest'])
  assert.match(nowhere.body.message, /nobody has it; leave "validate" out/)
  const batch = await write('applyWrites', {
    validate: true,
    writes: [
      { $type: `${repo('applyWrites')}#create`, collection: NOTE, value: { text: 'one' } },
      { $type: `${repo('applyWrites')}#create`, collection: 'com.example.other', value: {} },
    ],
  })
  assert.equal(batch.status, 400)
  assert.match(batch.body.message, /^writes\/1: the schema of com\.example\.other/)
})

test('[R2] putRecord creates and updates; the same value again makes no commit and no event', async () => {
  await using all = await withAlice()
  const { pds, write, seq } = all
  const put = (record: object, more: object = {}) =>
    write('putRecord', { collection: NOTE, rkey: 'self', record, ...more })
  const created = await put({ n: 1 })
  assert.ok(created.body.commit)
  const before = await seq()
  const same = await put({ n: 1 })
  assert.deepEqual([same.status, same.body.cid, 'commit' in same.body], [200, created.body.cid, false])
  assert.equal(await seq(), before)
  const updated = await put({ n: 2 })
  assert.ok(updated.body.commit)
  const event = (await pds.events(before)).at(-1)!
  assert.deepEqual(
    event.body['ops'].map((op: Record<string, unknown>) => [
      op['action'],
      op['path'],
      `${op['cid']}`,
      `${op['prev']}`,
    ]),
    [['update', `${NOTE}/self`, updated.body.cid, created.body.cid]],
  )
})

test('[R2] swapRecord: a CID asks for that record, null for none', async () => {
  await using all = await withAlice()
  const { write } = all
  const put = (record: object, swapRecord: string | null) =>
    write('putRecord', { collection: NOTE, rkey: 'self', record, swapRecord })
  const first = await put({ n: 1 }, null)
  assert.equal(first.status, 200)
  for (const [record, swap] of [
    [{ n: 2 }, null],
    [{ n: 2 }, cidOfDrisl(encode({})).toString()],
    // Also where nothing would change: the caller's picture is wrong.
    [{ n: 1 }, null],
  ] as const) {
    const { status, body } = await put(record, swap)
    assert.deepEqual([status, body.error], [400, 'InvalidSwap'])
  }
  assert.equal((await put({ n: 2 }, first.body.cid)).status, 200)
})

test('[R3] deleteRecord removes; where nothing is, it answers without a commit', async () => {
  await using all = await withAlice()
  const { pds, alice, write, seq } = all
  const made = await write('createRecord', { collection: NOTE, rkey: 'self', record: {} })
  const wrong = await write('deleteRecord', {
    collection: NOTE,
    rkey: 'self',
    swapRecord: cidOfDrisl(encode({})).toString(),
  })
  assert.deepEqual([wrong.status, wrong.body.error], [400, 'InvalidSwap'])
  const removed = await write('deleteRecord', { collection: NOTE, rkey: 'self', swapRecord: made.body.cid })
  assert.ok(removed.body.commit)
  assert.equal((await get(pds, alice.did, 'self')).body.error, 'RecordNotFound')
  const before = await seq()
  const again = await write('deleteRecord', { collection: NOTE, rkey: 'self' })
  assert.deepEqual([again.status, again.body], [200, {}])
  assert.equal(await seq(), before)
})

test('[R3] a record whose twin is deleted stays', async () => {
  await using all = await withAlice()
  const { pds, alice, write } = all
  for (const rkey of ['one', 'two'])
    await write('createRecord', { collection: NOTE, rkey, record: { same: true } })
  await write('deleteRecord', { collection: NOTE, rkey: 'one' })
  const kept = await get(pds, alice.did, 'two')
  assert.equal(kept.status, 200)
  const block = await pds.query('com.atproto.sync.getBlocks', {
    params: { did: alice.did, cids: [kept.body.cid] },
  })
  assert.equal(block.status, 200)
})

test('[R4] applyWrites makes one commit of up to 200 writes, and tells each result', async () => {
  await using all = await withAlice()
  const { write, seq, pds } = all
  const type = (name: string) => `com.atproto.repo.applyWrites#${name}`
  await write('createRecord', { collection: NOTE, rkey: 'old', record: { n: 0 } })
  const before = await seq()
  const { status, body } = await write('applyWrites', {
    writes: [
      { $type: type('create'), collection: NOTE, value: { n: 1 } },
      { $type: type('update'), collection: NOTE, rkey: 'old', value: { n: 2 } },
      { $type: type('create'), collection: NOTE, rkey: 'gone', value: { n: 3 } },
      { $type: type('delete'), collection: NOTE, rkey: 'gone' },
    ],
  })
  assert.equal(status, 200)
  assert.deepEqual(
    body.results.map(({ $type, validationStatus }: Record<string, unknown>) => [$type, validationStatus]),
    [
      [type('createResult'), 'unknown'],
      [type('updateResult'), 'unknown'],
      [type('createResult'), 'unknown'],
      [type('deleteResult'), undefined],
    ],
  )
  const events = await pds.events(before)
  assert.equal(events.length, 1)
  // What came and went within the batch never was.
  assert.deepEqual(
    events[0]!.body['ops'].map((op: Record<string, unknown>) => op['action']),
    ['create', 'update'],
  )
  const many = Array.from({ length: 201 }, (_, n) => ({
    $type: type('create'),
    collection: NOTE,
    value: { n },
  }))
  const refused = await write('applyWrites', { writes: many })
  assert.deepEqual([refused.status, refused.body.error], [400, 'InvalidRequest'])
  assert.equal((await write('applyWrites', { writes: many.slice(1) })).status, 200)
})

test('[R4] several writes on one path are told as what they come to, with what was there before', async () => {
  await using all = await withAlice()
  const { pds, alice, write, seq } = all
  const put = (rkey: string, n: number) => write('putRecord', { collection: NOTE, rkey, record: { n } })
  const kept = (await put('kept', 1)).body.cid
  await put('gone', 1)
  const before = await seq()
  const one = (kind: string, rkey: string, n?: number) => ({
    $type: `${repo('applyWrites')}#${kind}`,
    collection: NOTE,
    rkey,
    ...(n !== undefined && { value: { n } }),
  })
  const { status, body } = await write('applyWrites', {
    writes: [
      one('create', 'brief', 1),
      one('update', 'brief', 2),
      one('delete', 'brief'),
      one('delete', 'kept'),
      one('create', 'kept', 2),
      one('update', 'kept', 3),
      one('create', 'made', 1),
      one('update', 'made', 2),
      one('update', 'gone', 2),
      one('delete', 'gone'),
    ],
  })
  assert.deepEqual([status, body.results.length], [200, 10])
  const [event, ...more] = await pds.events(before)
  assert.equal(more.length, 0)
  const ops = event!.body['ops'].map((op: Record<string, unknown>) => [
    op['action'],
    String(op['path']).split('/')[1],
    op['prev'] === undefined ? undefined : String(op['prev']),
  ])
  assert.deepEqual(ops.slice(0, 2), [
    ['update', 'kept', kept],
    ['create', 'made', undefined],
  ])
  assert.deepEqual([ops[2][0], ops[2][1], ops.length], ['delete', 'gone', 3])
  assert.deepEqual((await get(pds, alice.did, 'kept')).body.value, { $type: NOTE, n: 3 })

  // What comes to nothing is no commit.
  const after = await seq()
  const nothing = await write('applyWrites', { writes: [one('create', 'brief', 1), one('delete', 'brief')] })
  assert.deepEqual([nothing.status, 'commit' in nothing.body], [200, false])
  assert.equal(await seq(), after)
})

test('[R1] [R4] revisions and keys only rise, whatever the clock does', async () => {
  await using all = await withAlice()
  const { pds, write } = all
  const revs: string[] = []
  const keys: string[] = []
  for (const step of [0, 3_600_000, -7_200_000, 0, -86_400_000]) {
    pds.clock.advance(step)
    const { body } = await write('createRecord', { collection: NOTE, record: { step } })
    revs.push(body.commit.rev)
    keys.push(body.uri.split('/').at(-1))
  }
  assert.deepEqual(revs, revs.toSorted())
  assert.deepEqual(keys, keys.toSorted())
  assert.equal(new Set([...revs, ...keys]).size, 10)
  // None of it is held against the commits: readers are told of each as what it is.
  const events = (await pds.events()).slice(-revs.length)
  assert.deepEqual(
    events.map(({ type, body }) => [type, body['rev']]),
    revs.map((rev) => ['#commit', rev]),
  )
})

test('[R4] one bad write undoes the batch, and is named', async () => {
  await using all = await withAlice()
  const { write, seq } = all
  const before = await seq()
  const type = (name: string) => `com.atproto.repo.applyWrites#${name}`
  const good = { $type: type('create'), collection: NOTE, value: {} }
  const bad = await write('applyWrites', {
    writes: [good, { ...good, value: { $type: 'com.example.other' } }],
  })
  assert.equal(bad.status, 400)
  assert.match(bad.body.message, /^writes\/1: /)
  const absent = await write('applyWrites', {
    writes: [good, { $type: type('delete'), collection: NOTE, rkey: 'absent' }],
  })
  assert.deepEqual([absent.status, absent.body.error], [400, 'InvalidRequest'])
  assert.equal(await seq(), before)
})

test('[R5] describeRepo looks up the document and the handle as the world sees them', async () => {
  await using all = await withAlice()
  const { pds, alice, write } = all
  for (const collection of [NOTE, 'com.example.a', 'com.example.note.deeper', 'com.example.note2'])
    await write('createRecord', { collection, record: {} })
  const { body } = await pds.query(repo('describeRepo'), { params: { repo: 'alice.test' } })
  assert.deepEqual(
    [body.did, body.handle, body.handleIsCorrect, body.didDoc.id],
    [alice.did, 'alice.test', true, alice.did],
  )
  assert.deepEqual(body.collections, ['com.example.a', NOTE, 'com.example.note.deeper', 'com.example.note2'])
})

test('[R6] getRecord asks for the CID that the caller names, and knows no strangers', async () => {
  await using all = await withAlice()
  const { pds, alice, write } = all
  const { body } = await write('createRecord', { collection: NOTE, rkey: 'self', record: {} })
  const ask = (params: Record<string, string>) =>
    pds.query(repo('getRecord'), { params: { repo: alice.did, collection: NOTE, rkey: 'self', ...params } })
  assert.equal((await ask({ cid: body.cid })).status, 200)
  const other = await ask({ cid: cidOfDrisl(encode({ other: 1 })).toString() })
  assert.deepEqual([other.status, other.body.error], [400, 'RecordNotFound'])
  assert.equal((await ask({ rkey: 'absent' })).body.error, 'RecordNotFound')
  assert.equal((await ask({ repo: 'nobody.test' })).body.error, 'RepoNotFound')
})

test('[R7] listRecords pages through a collection, newest key first or the other way round', async () => {
  await using all = await withAlice()
  const { pds, alice, write } = all
  const keys = ['a', 'b', 'c', 'd', 'e']
  for (const rkey of keys) await write('createRecord', { collection: NOTE, rkey, record: { rkey } })
  await write('createRecord', { collection: `${NOTE}.deeper`, rkey: 'x', record: {} })
  const pages = async (reverse: boolean) => {
    const found: string[] = []
    for (let cursor: string | undefined; ; ) {
      const { status, body } = await pds.query(repo('listRecords'), {
        params: { repo: 'alice.test', collection: NOTE, limit: 2, reverse, ...(cursor && { cursor }) },
      })
      assert.equal(status, 200)
      if (body.records.length === 0) return found
      assert.ok(body.records.length <= 2)
      for (const { uri, cid, value } of body.records) {
        found.push(value.rkey)
        assert.equal(uri, `at://${alice.did}/${NOTE}/${value.rkey}`)
        assert.equal(cid, cidOfDrisl(encode(fromJson(value))).toString())
      }
      cursor = body.cursor
    }
  }
  assert.deepEqual(await pages(true), keys)
  assert.deepEqual(await pages(false), keys.toReversed())
  const tolerated = await pds.query(repo('listRecords'), {
    params: { repo: alice.did, collection: NOTE, rkeyStart: 'a', rkeyEnd: 'c' },
  })
  assert.equal(tolerated.body.records.length, 5)
  for (const limit of [0, 101])
    assert.equal(
      (await pds.query(repo('listRecords'), { params: { repo: alice.did, collection: NOTE, limit } })).status,
      400,
    )
})
