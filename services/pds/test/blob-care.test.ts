import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { cidOfRaw } from '@imago/data'
import { createCatalog, parseLexiconDocument } from '@imago/lexicon'
import { createS3Store } from '@imago/object-store-s3'
import { infrastructureTest } from '@imago/sim/infrastructure'
import { createRandom } from '@imago/sim/random'
import { realS3Server, type S3TestServer, startS3TestServer } from '@imago/sim/s3-server'
import { TEMPORARY_BLOB_LIFETIME_MS } from '../src/blobs/blobs.ts'
import type { PdsConfig, PdsPorts } from '../src/index.ts'
import { openTestPds } from './test-pds.ts'

const NOTE = 'com.example.note'
const OPERATOR = { authorization: `Basic ${Buffer.from('admin:operator').toString('base64')}` }
const text = (value: string) => new TextEncoder().encode(value)

async function withAlice(config: Partial<PdsConfig> = {}, ports: Partial<PdsPorts> = {}) {
  const pds = await openTestPds({ config, ports })
  const alice = await pds.createAccount('alice')
  const { did, accessJwt: token } = alice
  const upload = (body: Uint8Array, type = 'application/octet-stream', session = token) =>
    pds.procedure('com.atproto.repo.uploadBlob', { token: session, body, headers: { 'content-type': type } })
  const write = (name: string, body: object, session = token) =>
    pds.procedure(`com.atproto.repo.${name}`, { token: session, body: { repo: did, ...body } })
  const post = (blob: object, rkey = 'self', session = token) =>
    write('putRecord', { collection: NOTE, rkey, record: { blob } }, session)
  const getBlob = (cid: string, headers: Record<string, string> = {}) =>
    pds.query('com.atproto.sync.getBlob', { params: { did, cid }, headers })
  const listBlobs = async (): Promise<string[]> =>
    (await pds.query('com.atproto.sync.listBlobs', { params: { did } })).body.cids
  return {
    pds,
    did,
    token,
    upload,
    write,
    post,
    getBlob,
    listBlobs,
    fileOf: (cid: string) => join(pds.folder, 'blobs', encodeURIComponent(did), cid),
    [Symbol.asyncDispose]: () => pds[Symbol.asyncDispose](),
  }
}

type Alice = Awaited<ReturnType<typeof withAlice>>

const filesIn = ({ pds }: Alice) =>
  readdirSync(join(pds.folder, 'blobs'), { recursive: true })
    .map(String)
    .filter((name) => name.includes('bafk'))

test('[B5] [A3] a blob that is taken down is not served, listed, uploaded or referred to, until it is given back', async () => {
  await using alice = await withAlice()
  const { pds, did, upload, post, getBlob, listBlobs, write } = alice
  const bytes = text('evidence')
  const { blob } = (await upload(bytes, 'text/plain')).body
  const cid = blob.ref.$link
  await post(blob)
  const subject = { $type: 'com.atproto.admin.defs#repoBlobRef', did, cid }
  const takeDown = (takedown: object, headers: Record<string, string> = OPERATOR) =>
    pds.procedure('com.atproto.admin.updateSubjectStatus', { headers, body: { subject, takedown } })
  const status = () =>
    pds.query('com.atproto.admin.getSubjectStatus', { headers: OPERATOR, params: { did, blob: cid } })
  assert.equal((await takeDown({ applied: true }, {})).status, 401)
  assert.deepEqual((await status()).body, { subject, takedown: { applied: false } })

  const done = await takeDown({ applied: true, ref: 'report 7' })
  assert.deepEqual(done.body, { subject, takedown: { applied: true, ref: 'report 7' } })
  assert.deepEqual((await status()).body.takedown, { applied: true, ref: 'report 7' })
  assert.equal((await getBlob(cid)).body.error, 'BlobNotFound')
  assert.deepEqual(await listBlobs(), [])
  const again = await upload(bytes, 'text/plain')
  assert.deepEqual([again.status, again.body.error], [400, 'BlobTakenDown'])
  assert.equal((await post(blob, 'other')).body.error, 'BlobNotFound')
  // Its record goes, and a week passes: the bytes are evidence, and the name stays refused.
  await write('deleteRecord', { collection: NOTE, rkey: 'self' })
  pds.clock.advance(7 * TEMPORARY_BLOB_LIFETIME_MS)
  await pds.pds.maintain()
  assert.equal(filesIn(alice).length, 1)

  await takeDown({ applied: false })
  const { accessJwt: token } = (
    await pds.procedure('com.atproto.server.createSession', {
      body: { identifier: did, password: 'password of alice' },
    })
  ).body
  const back = await pds.procedure('com.atproto.repo.putRecord', {
    token,
    body: { repo: did, collection: NOTE, rkey: 'self', record: { blob } },
  })
  assert.equal(back.status, 200)
  assert.deepEqual((await getBlob(cid)).body, bytes)
})

test('[A3] what is not a blob that lies here cannot be taken down', async () => {
  await using alice = await withAlice()
  const { pds, did } = alice
  const cid = cidOfRaw(text('nowhere')).toString()
  for (const [subject, error] of [
    [{ $type: 'com.atproto.admin.defs#repoBlobRef', did, cid }, 'BlobNotFound'],
    [{ $type: 'com.atproto.admin.defs#repoRef', did }, 'InvalidRequest'],
  ] as const) {
    const answer = await pds.procedure('com.atproto.admin.updateSubjectStatus', {
      headers: OPERATOR,
      body: { subject, takedown: { applied: true } },
    })
    assert.deepEqual([answer.status, answer.body.error], [400, error])
  }
})

test('[B8] an account stores as many bytes and as many blobs as it may, and gets room back', async () => {
  await using alice = await withAlice({ blobQuota: { maxBytes: 1_000, maxCount: 3 } })
  const { pds, upload } = alice
  assert.equal((await upload(new Uint8Array(600).fill(1))).status, 200)
  const refused = await upload(new Uint8Array(600).fill(2))
  assert.deepEqual([refused.status, refused.body.error], [400, 'QuotaExceeded'])
  assert.match(refused.body.message, /600 of 1000 bytes, 1 of 3 blobs/)
  assert.equal(filesIn(alice).length, 1)
  // What is there already takes no more room.
  assert.equal((await upload(new Uint8Array(600).fill(1))).status, 200)
  assert.equal((await upload(new Uint8Array(1))).status, 200)
  assert.equal((await upload(new Uint8Array(2))).status, 200)
  assert.equal((await upload(new Uint8Array(3))).body.error, 'QuotaExceeded')
  // Side by side, no more gets in than one after the other.
  pds.clock.advance(2 * TEMPORARY_BLOB_LIFETIME_MS)
  await pds.pds.maintain()
  assert.equal(filesIn(alice).length, 0)
  const bob = await pds.createAccount('bob')
  const together = await Promise.all(
    [1, 2, 3, 4, 5, 6].map((n) =>
      pds.procedure('com.atproto.repo.uploadBlob', {
        token: bob.accessJwt,
        body: new Uint8Array(300).fill(n),
        headers: { 'content-type': 'a/b' },
      }),
    ),
  )
  assert.deepEqual(together.map(({ status }) => status).sort(), [200, 200, 200, 400, 400, 400])
  assert.equal(filesIn(alice).length, 3)
})

test('[R9] [B3] what a record refers to and is not here is named, and permanent as soon as it comes, with the type of the record', async () => {
  await using alice = await withAlice()
  const { pds, token, upload, post, getBlob, listBlobs } = alice
  const bytes = text('<svg xmlns="http://www.w3.org/2000/svg"/>')
  const { blob } = (await upload(bytes, 'image/svg+xml')).body
  const cid = blob.ref.$link
  const { uri } = (await post(blob)).body
  const missing = async () => (await pds.query('com.atproto.repo.listMissingBlobs', { token })).body.blobs
  assert.deepEqual(await missing(), [])
  // As after an import: the record is here, the blob is not.
  {
    using database = new DatabaseSync(join(pds.folder, 'pds.sqlite'))
    database.exec('DELETE FROM blob')
  }
  await pds.pds.maintain()
  assert.deepEqual(filesIn(alice), [])
  assert.deepEqual(await missing(), [{ cid, recordUri: uri }])
  assert.equal((await getBlob(cid)).body.error, 'BlobNotFound')
  assert.deepEqual(await listBlobs(), [])

  // Whoever moves it may say something else of it, or nothing.
  const arrived = await upload(bytes, 'application/octet-stream')
  assert.equal(arrived.body.blob.mimeType, 'image/svg+xml')
  assert.deepEqual(await missing(), [])
  assert.deepEqual((await getBlob(cid)).body, bytes)
  assert.deepEqual(await listBlobs(), [cid])
  pds.clock.advance(3 * TEMPORARY_BLOB_LIFETIME_MS)
  await pds.pds.maintain()
  assert.equal((await getBlob(cid)).status, 200)
})

test('[B6] bytes that are not those of the blob are never served whole', async () => {
  await using alice = await withAlice()
  const { pds, did, upload, post, getBlob, fileOf } = alice
  const bytes = createRandom(5).bytes(90_000)
  const { blob } = (await upload(bytes)).body
  const cid = blob.ref.$link
  await post(blob)
  const damaged = bytes.slice()
  damaged[80_000]! ^= 1
  writeFileSync(fileOf(cid), damaged)
  const response = await pds.request(`/xrpc/com.atproto.sync.getBlob?did=${did}&cid=${cid}`)
  await assert.rejects(response.arrayBuffer(), /not those of blob/)
  for (const spoil of [() => truncateSync(fileOf(cid), 1_000), () => rmSync(fileOf(cid))]) {
    spoil()
    for (const headers of [{} as Record<string, string>, { range: 'bytes=0-9' }])
      assert.equal((await getBlob(cid, headers)).status, 500)
  }
  assert.ok(pds.logged.some((line) => line.includes('restore')))
  // Uploading it again mends it.
  await upload(bytes)
  assert.deepEqual((await getBlob(cid)).body, bytes)
})

test('[B3] the bytes of an account go with it', async () => {
  await using alice = await withAlice()
  const { pds, did, upload, post } = alice
  await post((await upload(text('one'))).body.blob)
  await upload(text('two'))
  assert.equal(filesIn(alice).length, 2)
  const answer = await pds.procedure('com.atproto.admin.deleteAccount', { headers: OPERATOR, body: { did } })
  assert.equal(answer.status, 200)
  assert.deepEqual(filesIn(alice), [])
})

test('[B3] bytes whose row a crash prevented go after a day, and no others', async () => {
  await using alice = await withAlice()
  const { pds, did, upload, post, fileOf } = alice
  const { blob } = (await upload(text('kept'))).body
  await post(blob)
  const stray = cidOfRaw(text('stray')).toString()
  const put = (path: string, ageMs: number) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text('stray'))
    const at = (pds.clock.now() - ageMs) / 1000
    utimesSync(path, at, at)
  }
  const old = TEMPORARY_BLOB_LIFETIME_MS + 60_000
  const store = join(pds.folder, 'blobs')
  // Of an account that is not here, of another server, and no blob at all.
  const others = [
    join(store, encodeURIComponent('did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'), stray),
    join(store, did, stray),
    join(store, encodeURIComponent(did), 'readme'),
  ]
  for (const path of others) put(path, old)
  put(fileOf(stray), 60_000)
  const at = (pds.clock.now() - old) / 1000
  utimesSync(fileOf(blob.ref.$link), at, at)
  await pds.pds.maintain()
  assert.ok(existsSync(fileOf(stray)), 'it may be on its way')
  put(fileOf(stray), old)
  await pds.pds.maintain()
  assert.ok(existsSync(fileOf(stray)), 'the store is looked through once a day')
  pds.clock.advance(TEMPORARY_BLOB_LIFETIME_MS)
  await pds.pds.maintain()
  assert.ok(!existsSync(fileOf(stray)))
  for (const path of [...others, fileOf(blob.ref.$link)]) assert.ok(existsSync(path), path)
})

/** Types that a browser would run or open, and bytes that pretend to be something else. */
const HOSTILE: readonly (readonly [type: string, body: string])[] = [
  ...[
    'text/html',
    'application/xhtml+xml',
    'image/svg+xml',
    'text/xml',
    'application/xml',
    'application/rss+xml',
    'application/atom+xml',
    'text/xsl',
    'application/xslt+xml',
    'application/mathml+xml',
    'text/javascript',
    'application/javascript',
    'application/ecmascript',
    'text/ecmascript',
    'application/json',
    'application/manifest+json',
    'application/wasm',
    'text/css',
    'text/plain',
    'text/vtt',
    'text/calendar',
    'text/vcard',
    'text/markdown',
    'text/event-stream',
    'message/rfc822',
    'multipart/related',
    'multipart/x-mixed-replace',
    'application/x-mimearchive',
    'application/pdf',
    'application/x-shockwave-flash',
    'application/java-archive',
    'application/x-java-applet',
    'application/hta',
    'application/x-msdownload',
    'application/vnd.ms-htmlhelp',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
    'application/signed-exchange',
    'application/webbundle',
    'image/x-icon',
    'x/y',
  ].map((type) => [type, `<html><script>alert('${type}')</script>`] as const),
  ['image/png', '\x89PNG\r\n\x1a\n<script>alert(1)</script>'],
  ['image/gif', "GIF89a/*<svg onload=alert(1)>*/=1;alert('gif')"],
  ['application/pdf', '%PDF-1.7 <script>alert(1)</script>'],
  ['text/html', '<svgQ onload=alert(1)>'],
]

test('[B6] forty hostile types, each served so that no browser runs it', async () => {
  await using alice = await withAlice()
  const { pds, did, upload, post } = alice
  assert.ok(HOSTILE.length >= 40)
  for (const [index, [type, body]] of HOSTILE.entries()) {
    const bytes = Uint8Array.from(body, (character) => character.charCodeAt(0))
    const { blob } = (await upload(bytes, type)).body
    assert.equal((await post(blob, `r${index}`)).status, 200, type)
    for (const [method, headers, status] of [
      ['GET', {}, 200],
      ['GET', { range: 'bytes=0-3' }, 206],
      ['GET', { 'if-none-match': `"x", W/"${blob.ref.$link}"` }, 304],
      ['GET', { range: 'bytes=9999-' }, 416],
      ['HEAD', {}, 200],
    ] as const) {
      const path = `/xrpc/com.atproto.sync.getBlob?did=${did}&cid=${blob.ref.$link}`
      const answer = await pds.request(path, { method, headers })
      await answer.arrayBuffer()
      assert.deepEqual(
        [
          answer.status,
          answer.headers.get('x-content-type-options'),
          answer.headers.get('content-security-policy'),
          answer.headers.get('content-disposition'),
        ],
        [status, 'nosniff', "default-src 'none'; sandbox", `attachment; filename="${blob.ref.$link}"`],
        `${type} ${method} ${status}`,
      )
      assert.equal(answer.headers.get('set-cookie'), null)
    }
  }
})

test('[B6] a range of something else brings everything', async () => {
  await using alice = await withAlice()
  const { upload, post, getBlob } = alice
  const { blob } = (await upload(text('0123456789'))).body
  await post(blob)
  const cid = blob.ref.$link
  const range = { range: 'bytes=2-4' }
  assert.equal((await getBlob(cid, { ...range, 'if-range': `"${cid}"` })).status, 206)
  assert.equal((await getBlob(cid, { ...range, 'if-range': '"another"' })).status, 200)
})

test('[B2] what the schema of a record accepts, in type and size, is checked when it is written', async () => {
  const catalog = createCatalog([
    parseLexiconDocument({
      lexicon: 1,
      id: NOTE,
      defs: {
        main: {
          type: 'record',
          key: 'any',
          record: {
            type: 'object',
            properties: { blob: { type: 'blob', accept: ['image/*'], maxSize: 100 } },
          },
        },
      },
    }),
  ])
  await using alice = await withAlice({}, { recordSchemas: (collection) => catalog.record(collection) })
  const { upload, post } = alice
  const png = (size: number) => Uint8Array.from({ length: size }, (_, i) => PNG_START[i] ?? i)
  assert.equal((await post((await upload(png(100))).body.blob)).status, 200)
  for (const [bytes, type, words] of [
    [png(101), 'image/png', /100/],
    [text('plain'), 'text/plain', /image\/\*/],
  ] as const) {
    const { status, body } = await post((await upload(bytes, type)).body.blob)
    assert.deepEqual([status, body.error], [400, 'InvalidRequest'])
    assert.match(body.message, words)
  }
})

const PNG_START = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

const real = realS3Server()
infrastructureTest('[B7] blobs in a bucket of a real S3 server', real.missing, async () => {
  const prefix = `pds-${Date.now()}/`
  await using alice = await withAlice({
    blobsBucket: { ...real.location!, prefix },
    blobUploadLimitBytes: 30_000_000,
  })
  const { upload, post, getBlob } = alice
  // In one request, and in parts.
  for (const size of [1_000, 20_000_000]) {
    const bytes = new Uint8Array(Buffer.alloc(size, createRandom(size).bytes(1_000)))
    const { blob } = (await upload(bytes)).body
    await post(blob)
    assert.ok(Buffer.from(bytes).equals((await getBlob(blob.ref.$link)).body))
    const part = await getBlob(blob.ref.$link, { range: 'bytes=500-599' })
    assert.deepEqual(part.body, bytes.slice(500, 600))
  }
})

async function onS3(work: (alice: Alice, server: S3TestServer) => Promise<void>): Promise<void> {
  await using server = await startS3TestServer()
  const blobsBucket = { ...server.location, prefix: 'pds/', requestTimeoutMs: 2_000, maxAttempts: 2 }
  await using alice = await withAlice({ blobsBucket })
  await work(alice, server)
}

test('[B7] blobs in S3: uploaded, served whole and in parts, collected', () =>
  onS3(async (alice, server) => {
    const { pds, did, upload, post, write, getBlob } = alice
    const bytes = createRandom(9).bytes(70_000)
    const { blob } = (await upload(bytes)).body
    const cid = blob.ref.$link
    await post(blob)
    // Where the reference has them.
    const put = `PUT /imago-test/pds/blocks/${did}/${cid}`
    assert.ok(server.seen.some((request) => decodeURIComponent(request).startsWith(put)))
    assert.deepEqual((await getBlob(cid)).body, bytes)
    const part = await getBlob(cid, { range: 'bytes=100-199' })
    assert.deepEqual([part.status, part.body], [206, bytes.slice(100, 200)])
    await write('deleteRecord', { collection: NOTE, rkey: 'self' })
    pds.clock.advance(2 * TEMPORARY_BLOB_LIFETIME_MS)
    await pds.pds.maintain()
    assert.ok(server.seen.some((request) => /^DELETE .*bafk/.test(request)))
  }))

test('[B3] [B7] bytes in S3 whose row a crash prevented go after a day, and no others', () =>
  onS3(async (alice, server) => {
    const { pds, did, upload, post, getBlob } = alice
    // The age of objects is told by the clock of their server.
    pds.clock.set(Date.now())
    const login = { identifier: did, password: 'password of alice' }
    const { body: session } = await pds.procedure('com.atproto.server.createSession', { body: login })
    const kept = text('kept')
    const { blob } = (await upload(kept, 'text/plain', session.accessJwt)).body
    assert.equal((await post(blob, 'self', session.accessJwt)).status, 200)
    using store = createS3Store({ ...server.location, prefix: 'pds/' })
    const stray = cidOfRaw(text('stray')).toString()
    const keys = [
      `blocks/${did}/${stray}`,
      `blocks/did:plc:bbbbbbbbbbbbbbbbbbbbbbbb/${stray}`,
      `tmp/${stray}`,
    ]
    for (const key of keys) await store.put(key, text('stray'))
    const left = async () => {
      const found = await Array.fromAsync(store.list(''))
      return keys.filter((key) => found.some((object) => object.key === key))
    }
    await pds.pds.maintain()
    assert.deepEqual(await left(), keys)
    pds.clock.advance(TEMPORARY_BLOB_LIFETIME_MS + 60_000)
    await pds.pds.maintain()
    assert.deepEqual(await left(), keys.slice(1))
    assert.deepEqual((await getBlob(blob.ref.$link)).body, kept)
  }))

test('[B7] an S3 server that fails: nothing is acknowledged, nothing is lost, and it is told apart from a bug', () =>
  onS3(async (alice, server) => {
    const { pds, upload, post, getBlob, write } = alice
    const { blob } = (await upload(text('kept'))).body
    await post(blob)
    const cid = blob.ref.$link
    let failures = 0
    server.fault = {
      request(request, response) {
        failures++
        request.resume()
        response.writeHead(503).end()
        return true
      },
    }
    for (const answer of [await upload(text('new')), await getBlob(cid)])
      assert.deepEqual([answer.status, answer.body.error], [503, 'NotEnoughResources'])
    assert.equal((await post({ ...blob, ref: { $link: cidOfRaw(text('new')).toString() } })).status, 400)
    // Bytes that cannot be removed now are removed later.
    await write('deleteRecord', { collection: NOTE, rkey: 'self' })
    pds.clock.advance(2 * TEMPORARY_BLOB_LIFETIME_MS)
    await assert.rejects(pds.pds.maintain())
    assert.ok(pds.logged.some((line) => line.includes('could not be removed yet')))
    server.fault = undefined
    const before = server.seen.length
    await pds.pds.maintain()
    assert.ok(server.seen.slice(before).some((request) => /^DELETE .*bafk/.test(request)))
    assert.ok(failures > 0)
  }))
