import assert from 'node:assert/strict'
import test from 'node:test'
import { type PlcOperation, updateOperation } from '@imago/identity/plc'
import { arriving, importCar } from './arrival.ts'
import { openTestPds, type TestAccount, type TestPds } from './test-pds.ts'

const POST = 'app.bsky.feed.post'
const repo = (name: string) => `com.atproto.repo.${name}`

const post = (text: string) => ({ $type: POST, text })

async function put(pds: TestPds, { did, accessJwt }: TestAccount, rkey: string, text: string) {
  const body = { repo: did, collection: POST, rkey, record: post(text), validate: false }
  const answer = await pds.procedure(repo('putRecord'), { token: accessJwt, body })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body
}

async function textsOf(pds: TestPds, did: string): Promise<Record<string, string>> {
  const answer = await pds.query(repo('listRecords'), { params: { repo: did, collection: POST } })
  return Object.fromEntries(
    answer.body.records.map(({ uri, value }: { uri: string; value: { text: string } }) => [
      uri.split('/').at(-1),
      value.text,
    ]),
  )
}

async function exportOf(pds: TestPds, did: string): Promise<Uint8Array> {
  const answer = await pds.query('com.atproto.sync.getRepo', { params: { did } })
  assert.equal(answer.status, 200)
  return answer.body
}

test('[R8] [R3] after an import, writes see the repository that came, not the one that was', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const { did, accessJwt: token } = alice
  await put(pds, alice, 'first', 'old')
  const earlier = await exportOf(pds, did)
  await pds.procedure(repo('deleteRecord'), { token, body: { repo: did, collection: POST, rkey: 'first' } })
  await put(pds, alice, 'second', 'new')
  assert.equal((await importCar(pds, token, earlier)).status, 200)
  assert.deepEqual(await textsOf(pds, did), { first: 'old' })

  // Of what is not in it any more, a write that would change nothing before changes something.
  assert.ok((await put(pds, alice, 'second', 'new')).commit)
  assert.deepEqual(await textsOf(pds, did), { first: 'old', second: 'new' })
  assert.equal((await importCar(pds, token, earlier)).status, 200)

  const { body: latest } = await pds.query('com.atproto.sync.getLatestCommit', { params: { did } })
  const deleted = await pds.procedure(repo('deleteRecord'), {
    token,
    body: { repo: did, collection: POST, rkey: 'first', swapCommit: latest.cid },
  })
  assert.deepEqual(
    [deleted.status, typeof deleted.body.commit],
    [200, 'object'],
    JSON.stringify(deleted.body),
  )
  assert.deepEqual(await textsOf(pds, did), {})
})

test('[R2] an account that was deleted and came back begins with what it brings', async () => {
  await using pds = await openTestPds()
  const mover = await arriving(pds)
  const come = async (): Promise<TestAccount> => {
    const { status, body } = await mover.createAccount()
    assert.equal(status, 200, JSON.stringify(body))
    await mover.pointHere(body)
    const activated = await pds.procedure('com.atproto.server.activateAccount', { token: body.accessJwt })
    assert.equal(activated.status, 200, JSON.stringify(activated.body))
    return body
  }
  await put(pds, await come(), 'first', 'text')
  const removed = await pds.procedure('com.atproto.admin.deleteAccount', {
    body: { did: mover.did },
    headers: { authorization: `Basic ${btoa('admin:operator')}` },
  })
  assert.equal(removed.status, 200)
  const last = pds.plc.operations(mover.did).at(-1) as PlcOperation
  const moved = updateOperation(last, { verificationMethods: { atproto: mover.oldKey.didKey } }, mover.owner)
  await pds.plc.submit(mover.did, moved)

  assert.ok((await put(pds, await come(), 'first', 'text')).commit)
  assert.deepEqual(await textsOf(pds, mover.did), { first: 'text' })
})
