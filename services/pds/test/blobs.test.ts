import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { cidOfRaw } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { TEMPORARY_BLOB_LIFETIME_MS } from '../src/blobs/blobs.ts'
import { arriving, importCar, repoOf } from './arrival.ts'
import { openTestPds } from './test-pds.ts'

const NOTE = 'com.example.note'
const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...createRandom(3).bytes(500)])

async function withAlice() {
  const pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const token = alice.accessJwt
  const upload = (body: Uint8Array, type = 'application/octet-stream') =>
    pds.procedure('com.atproto.repo.uploadBlob', { token, body, headers: { 'content-type': type } })
  const write = (name: string, body: object) =>
    pds.procedure(`com.atproto.repo.${name}`, { token, body: { repo: alice.did, ...body } })
  const post = (blob: object, rkey = 'self') =>
    write('putRecord', { collection: NOTE, rkey, record: { blob } })
  const getBlob = (cid: string, headers: Record<string, string> = {}) =>
    pds.query('com.atproto.sync.getBlob', { params: { did: alice.did, cid }, headers })
  const listBlobs = async (params: Record<string, string | number> = {}): Promise<string[]> =>
    (await pds.query('com.atproto.sync.listBlobs', { params: { did: alice.did, ...params } })).body.cids
  return {
    pds,
    alice,
    token,
    upload,
    write,
    post,
    getBlob,
    listBlobs,
    [Symbol.asyncDispose]: () => pds[Symbol.asyncDispose](),
  }
}

test('[R10] [B3] an upload is temporary until a record refers to it', async () => {
  await using all = await withAlice()
  const { upload, post, getBlob, listBlobs } = all
  const { status, body } = await upload(PNG, 'image/png')
  assert.equal(status, 200)
  const cid = cidOfRaw(PNG).toString()
  assert.deepEqual(body, {
    blob: { $type: 'blob', ref: { $link: cid }, mimeType: 'image/png', size: PNG.length },
  })
  const before = await getBlob(cid)
  assert.deepEqual([before.status, before.body.error], [400, 'BlobNotFound'])
  assert.deepEqual(await listBlobs(), [])
  assert.equal((await post(body.blob)).status, 200)
  const after = await getBlob(cid)
  assert.equal(after.status, 200)
  assert.deepEqual(after.body, PNG)
  assert.deepEqual(await listBlobs(), [cid])
})

test('[R10] a deactivated account may upload; a stranger may not', async () => {
  await using all = await withAlice()
  const { pds, token, upload } = all
  await pds.procedure('com.atproto.server.deactivateAccount', { token, body: {} })
  assert.equal((await upload(PNG)).status, 200)
  const stranger = await pds.procedure('com.atproto.repo.uploadBlob', {
    body: PNG,
    headers: { 'content-type': 'image/png' },
  })
  assert.equal(stranger.status, 401)
})

test('[R10] an account that was taken down uploads nothing, though its session goes on', async () => {
  await using before = await openTestPds()
  const { did, accessJwt: token } = await before.createAccount('alice')
  {
    using database = new DatabaseSync(join(before.folder, 'pds.sqlite'))
    database.exec(`UPDATE repo SET status = 'takendown' WHERE did = '${did}'`)
  }
  await using pds = await before.restart()
  const refused = await pds.procedure('com.atproto.repo.uploadBlob', {
    token,
    body: PNG,
    headers: { 'content-type': 'image/png' },
  })
  assert.deepEqual([refused.status, refused.body.error], [401, 'AccountTakedown'])
  assert.equal((await pds.query('com.atproto.server.getSession', { token })).body.status, 'takendown')
})

test('[B1] a blob past the limit is refused with 413, and nothing is left of it', async () => {
  await using all = await withAlice()
  const { pds, upload, token } = all
  assert.equal((await upload(new Uint8Array(100_000))).status, 200)
  const declared = await upload(new Uint8Array(100_001))
  assert.deepEqual([declared.status, declared.body.error], [413, 'PayloadTooLarge'])
  // Without a length in the header, too.
  const chunks = Array.from({ length: 11 }, () => new Uint8Array(10_000))
  const streamed = await pds.request('/xrpc/com.atproto.repo.uploadBlob', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'image/png' },
    body: ReadableStream.from(chunks) as ReadableStream<Uint8Array<ArrayBuffer>>,
    duplex: 'half',
  } as RequestInit)
  assert.equal(streamed.status, 413)
  assert.deepEqual(readdirSync(join(pds.folder, 'blobs', '.tmp')), [])
})

test('[B2] what the bytes show wins over the header, and records must say the same', async () => {
  await using all = await withAlice()
  const { upload, post } = all
  const { body } = await upload(PNG, 'text/html')
  assert.equal(body.blob.mimeType, 'image/png')
  for (const [change, error] of [
    [{ mimeType: 'text/html' }, 'InvalidMimeType'],
    [{ size: 1 }, 'InvalidSize'],
    [{ ref: { $link: cidOfRaw(new Uint8Array(9)).toString() } }, 'BlobNotFound'],
  ] as const) {
    const answer = await post({ ...body.blob, ...change })
    assert.deepEqual([answer.status, answer.body.error], [400, error])
  }
  assert.equal(
    (await upload(new TextEncoder().encode('<svg/onload=x>'), 'image/svg+xml')).body.blob.mimeType,
    'image/svg+xml',
  )
})

test('[B2] a blob that is there keeps its type when it is uploaded again', async () => {
  await using all = await withAlice()
  const { upload, post } = all
  const bytes = new TextEncoder().encode('some text')
  const first = await upload(bytes, 'text/plain')
  await post(first.body.blob)
  const second = await upload(bytes, 'text/markdown')
  assert.deepEqual(second.body, first.body)
})

test('[B3] a blob goes when the last record that refers to it has gone, and not before', async () => {
  await using all = await withAlice()
  const { pds, upload, post, write, getBlob, listBlobs } = all
  const { blob } = (await upload(PNG)).body
  const cid = blob.ref.$link
  await post(blob, 'one')
  await post(blob, 'two')
  await write('deleteRecord', { collection: NOTE, rkey: 'one' })
  assert.equal((await getBlob(cid)).status, 200)
  // Replaced by another value, in an update rather than a deletion.
  await write('putRecord', { collection: NOTE, rkey: 'two', record: { text: 'no picture' } })
  assert.equal((await getBlob(cid)).body.error, 'BlobNotFound')
  assert.deepEqual(await listBlobs(), [])
  // Until it is swept up, a record may refer to it again.
  assert.equal((await post(blob, 'three')).status, 200)
  assert.equal((await getBlob(cid)).status, 200)
  pds.clock.advance(2 * TEMPORARY_BLOB_LIFETIME_MS)
  await pds.pds.maintain()
  assert.equal((await getBlob(cid)).status, 200)
})

test('[B3] [B9] a blob that lost its last record may be taken up again for a day, however old it is', async () => {
  await using all = await withAlice()
  const { pds, alice, upload, post } = all
  const { blob } = (await upload(PNG)).body
  await post(blob)
  pds.clock.advance(3 * TEMPORARY_BLOB_LIFETIME_MS)
  const { accessJwt: token } = (
    await pds.procedure('com.atproto.server.createSession', {
      body: { identifier: alice.did, password: 'password of alice' },
    })
  ).body
  const put = (record: object) =>
    pds.procedure('com.atproto.repo.putRecord', {
      token,
      body: { repo: alice.did, collection: NOTE, rkey: 'self', record },
    })
  assert.equal((await put({ text: 'no picture' })).status, 200)
  pds.clock.advance(3_600_000)
  await pds.pds.maintain()
  assert.equal((await put({ blob })).status, 200)
})

test('[B4] uploads that no record came to refer to are swept up after a day', async () => {
  await using all = await withAlice()
  const { pds, alice, upload } = all
  const { blob } = (await upload(PNG)).body
  const files = () =>
    readdirSync(join(pds.folder, 'blobs'), { recursive: true }).filter((name) =>
      String(name).includes('bafk'),
    )
  pds.clock.advance(TEMPORARY_BLOB_LIFETIME_MS)
  await pds.pds.maintain()
  assert.equal(files().length, 1)
  pds.clock.advance(1)
  await pds.pds.maintain()
  assert.equal(files().length, 0)
  const { body } = await pds.procedure('com.atproto.server.createSession', {
    body: { identifier: alice.did, password: 'password of alice' },
  })
  const late = await pds.procedure('com.atproto.repo.createRecord', {
    token: body.accessJwt,
    body: { repo: alice.did, collection: NOTE, record: { blob } },
  })
  assert.equal(late.body.error, 'BlobNotFound')
})

test('[B6] [Y7] bytes of strangers are served so that no browser runs them', async () => {
  await using all = await withAlice()
  const { upload, post, getBlob } = all
  const html = new TextEncoder().encode('<script>alert(1)</script>')
  const { blob } = (await upload(html, 'text/html')).body
  await post(blob)
  const { headers, body } = await getBlob(blob.ref.$link)
  assert.deepEqual(body, html)
  assert.deepEqual(
    [
      'content-type',
      'content-length',
      'x-content-type-options',
      'content-disposition',
      'content-security-policy',
    ].map((name) => headers.get(name)),
    [
      'text/html',
      String(html.length),
      'nosniff',
      `attachment; filename="${blob.ref.$link}"`,
      "default-src 'none'; sandbox",
    ],
  )
})

test('[B6] [Y7] ranges, HEAD and ETag', async () => {
  await using all = await withAlice()
  const { pds, alice, upload, post, getBlob } = all
  const { blob } = (await upload(PNG)).body
  await post(blob)
  const cid = blob.ref.$link
  for (const [range, start, end] of [
    ['bytes=0-9', 0, 10],
    ['bytes=500-', 500, PNG.length],
    ['bytes=-8', PNG.length - 8, PNG.length],
    ['bytes=0-99999', 0, PNG.length],
  ] as const) {
    const part = await getBlob(cid, { range })
    assert.equal(part.status, 206, range)
    assert.deepEqual(part.body, PNG.slice(start, end), range)
    assert.equal(part.headers.get('content-range'), `bytes ${start}-${end - 1}/${PNG.length}`)
    assert.equal(part.headers.get('content-security-policy'), "default-src 'none'; sandbox")
  }
  assert.equal((await getBlob(cid, { range: 'bytes=9999-' })).status, 416)
  for (const range of ['bytes=5-1', 'lines=1-2', 'bytes=0-1,4-5'])
    assert.equal((await getBlob(cid, { range })).status, 200, range)
  const etag = (await getBlob(cid)).headers.get('etag')!
  assert.equal((await getBlob(cid, { 'if-none-match': etag })).status, 304)
  const head = await pds.request(`/xrpc/com.atproto.sync.getBlob?did=${alice.did}&cid=${cid}`, {
    method: 'HEAD',
  })
  assert.deepEqual(
    [head.status, head.headers.get('content-length'), await head.text()],
    [200, String(PNG.length), ''],
  )
})

test('[Y8] listBlobs pages, and leaves out what a reader of a revision knows', async () => {
  await using all = await withAlice()
  const { pds, alice, upload, post, listBlobs } = all
  const cids: string[] = []
  let since = ''
  for (let i = 0; i < 5; i++) {
    const { blob } = (await upload(new Uint8Array([i, i, i]))).body
    cids.push(blob.ref.$link)
    const { commit } = (await post(blob, `r${i}`)).body
    if (i === 2) since = commit.rev
  }
  const found: string[] = []
  for (let cursor: string | undefined; ; ) {
    const { body } = await pds.query('com.atproto.sync.listBlobs', {
      params: { did: alice.did, limit: 2, ...(cursor && { cursor }) },
    })
    if (body.cids.length === 0) break
    found.push(...body.cids)
    cursor = body.cursor
  }
  assert.deepEqual(found.sort(), cids.toSorted())
  assert.deepEqual((await listBlobs({ since })).sort(), cids.slice(3).sort())
})

test('[B3] what a crash left in the temporary folder is gone at the next start; blobs are not', async () => {
  await using all = await withAlice()
  const { pds, alice, upload, post } = all
  const { blob } = (await upload(PNG)).body
  await post(blob)
  writeFileSync(join(pds.folder, 'blobs', '.tmp', 'half'), 'half an upload')
  await using later = await pds.restart()
  assert.deepEqual(readdirSync(join(pds.folder, 'blobs', '.tmp')), [])
  const kept = await later.query('com.atproto.sync.getBlob', {
    params: { did: alice.did, cid: blob.ref.$link },
  })
  assert.deepEqual(kept.body, PNG)
})

test('[B6] [B2] what a record from elsewhere calls a type, and is none, never becomes a header', async () => {
  await using pds = await openTestPds()
  for (const [name, mimeType, served] of [
    ['alice', 'text/html\r\nset-cookie: a=b', 'application/octet-stream'],
    ['bobby', '絵/文字', 'application/octet-stream'],
    ['carol', 'image/svg+xml; charset=utf-8', 'image/svg+xml; charset=utf-8'],
  ] as const) {
    const mover = await arriving(pds, name)
    const { body: account } = await mover.createAccount()
    const token = account.accessJwt
    const bytes = new TextEncoder().encode(`bytes of ${name}`)
    const image = { $type: 'blob' as const, ref: cidOfRaw(bytes), mimeType, size: bytes.length }
    const { car } = repoOf(mover.did, mover.oldKey, {
      'com.example.thing/a': { $type: 'com.example.thing', image },
    })
    assert.equal((await importCar(pds, token, car)).status, 200)
    const uploaded = await pds.procedure('com.atproto.repo.uploadBlob', {
      token,
      body: bytes,
      headers: { 'content-type': 'text/plain' },
    })
    assert.equal(uploaded.body.blob?.mimeType, mimeType, 'as the record has it')
    await mover.pointHere(account)
    await pds.procedure('com.atproto.server.activateAccount', { token })
    const params = { did: mover.did, cid: String(image.ref) }
    const got = await pds.query('com.atproto.sync.getBlob', { params })
    assert.deepEqual([got.status, got.headers.get('content-type')], [200, served])
    assert.equal(got.headers.get('set-cookie'), null)
  }
})
