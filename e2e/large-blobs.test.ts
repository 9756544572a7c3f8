// Blobs as large as the distribution of the reference allows, through a real process, whose memory stays where it was.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type ClientRequest, get, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { cidFromDigest, RAW_CODEC } from '@imago/data'
import { infrastructureTest } from '@imago/sim/infrastructure'
import { realS3Server, type S3Location, startS3TestServer } from '@imago/sim/s3-server'
import { startOurPds, startPlc, type TestService } from './reference-pds.ts'

const BLOB_BYTES = 314_572_800
const PIECE_BYTES = 64 * 1024
/** A few parts on their way to S3, and what the collector has not come to yet: half of the blob. Measured: 55 and 100 MB. */
const MAX_GROWTH_BYTES = 157_286_400

/** Every piece differs; none is kept. */
function* generated(): Generator<Buffer> {
  for (let at = 0; at < BLOB_BYTES; at += PIECE_BYTES) {
    const piece = Buffer.alloc(Math.min(PIECE_BYTES, BLOB_BYTES - at), at % 251)
    piece.writeUInt32BE(at / PIECE_BYTES)
    yield piece
  }
}

function expectedCid(): string {
  const hash = createHash('sha256')
  for (const piece of generated()) hash.update(piece)
  return cidFromDigest(RAW_CODEC, hash.digest()).toString()
}

/** Peak resident memory of a process, in bytes, since it was last set back. */
function peakMemory(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

const answerOf = (request: ClientRequest) =>
  new Promise<IncomingMessage>((resolve, reject) => request.on('response', resolve).on('error', reject))

async function json(response: IncomingMessage) {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

type Answer = Record<'did' | 'accessJwt', string>

async function post(pds: TestService, nsid: string, body: object, token?: string): Promise<Answer> {
  const response = await fetch(`${pds.url}/xrpc/${nsid}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  assert.equal(response.status, 200, await response.clone().text())
  return (await response.json()) as Answer
}

async function upAndDown(env: Readonly<Record<string, string>>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'imago-large-'))
  try {
    await using plc = await startPlc(folder)
    const limit = { PDS_BLOB_UPLOAD_LIMIT: String(BLOB_BYTES), ...env }
    await using pds = await startOurPds({ folder: join(folder, 'pds'), plcUrl: plc.url, env: limit })
    const account = { handle: 'alice.test', email: 'alice@example.com', password: 'a long password' }
    const { did, accessJwt } = await post(pds, 'com.atproto.server.createAccount', account)
    const before = peakMemory(pds.pid)

    const upload = request(`${pds.url}/xrpc/com.atproto.repo.uploadBlob`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-test', authorization: `Bearer ${accessJwt}` },
    })
    const answered = answerOf(upload)
    await pipeline(Readable.from(generated(), { objectMode: false }), upload)
    const uploaded = await answered
    const { blob, ...fault } = await json(uploaded)
    assert.equal(uploaded.statusCode, 200, JSON.stringify(fault))
    assert.deepEqual([blob.size, blob.ref.$link], [BLOB_BYTES, expectedCid()])
    const afterUpload = peakMemory(pds.pid)
    assert.ok(afterUpload - before < MAX_GROWTH_BYTES, `uploading took ${afterUpload - before} bytes`)

    const record = { repo: did, collection: 'com.example.film', record: { blob } }
    await post(pds, 'com.atproto.repo.createRecord', record, accessJwt)
    const response = await answerOf(
      get(`${pds.url}/xrpc/com.atproto.sync.getBlob?did=${did}&cid=${blob.ref.$link}`),
    )
    const hash = createHash('sha256')
    let size = 0
    for await (const piece of response) {
      hash.update(piece)
      size += piece.length
    }
    assert.deepEqual(
      [response.statusCode, size, cidFromDigest(RAW_CODEC, hash.digest()).toString()],
      [200, BLOB_BYTES, blob.ref.$link],
    )
    const afterAll = peakMemory(pds.pid)
    assert.ok(afterAll - before < MAX_GROWTH_BYTES, `both ways took ${afterAll - before} bytes`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const onS3 = ({ bucket, endpoint, accessKeyId, secretAccessKey }: S3Location) =>
  upAndDown({
    PDS_BLOBSTORE_DISK_LOCATION: '',
    PDS_BLOBSTORE_S3_BUCKET: bucket,
    PDS_BLOBSTORE_S3_ENDPOINT: endpoint,
    PDS_BLOBSTORE_S3_FORCE_PATH_STYLE: 'true',
    PDS_BLOBSTORE_S3_ACCESS_KEY_ID: accessKeyId,
    PDS_BLOBSTORE_S3_SECRET_ACCESS_KEY: secretAccessKey,
    PDS_BLOBSTORE_S3_PREFIX: `large-${Date.now()}/`,
  })

const missing = existsSync('/proc/self/status')
  ? undefined
  : 'this system does not tell the memory of a process'

infrastructureTest('[B1] 300 MB go in and out of a folder in constant memory', missing, () => upAndDown({}))

infrastructureTest('[B1] [B7] 300 MB go in and out of S3 in constant memory', missing, async () => {
  await using server = await startS3TestServer()
  await onS3(server.location)
})

const real = realS3Server()
infrastructureTest(
  '[B1] [B7] 300 MB go in and out of a real S3 server in constant memory',
  missing ?? real.missing,
  () => onS3(real.location!),
)
