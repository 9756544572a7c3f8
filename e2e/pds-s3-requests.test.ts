// Every request that uploads, deletions and sweeps send to S3, broken in every way: a few of them, or with
// `FAULT_POINTS=all` each.
import assert from 'node:assert/strict'
import test from 'node:test'
import { createS3Store } from '@imago/object-store-s3'
import { openBlobInventory, verifyDataDirectory } from '@imago/pds/recovery'
import { createRandom } from '@imago/sim/random'
import { type Fault, startS3TestServer } from '@imago/sim/s3-server'
import { openTestPds, type TestAccount, type TestPds } from '../services/pds/test/test-pds.ts'
import { assertConsistent } from './faults/oracle.ts'
import { note, succeed } from './faults/scene.ts'
import { writerOf } from './faults/stage.ts'
import { CHANGE_FAULTS, UPLOAD_FAULTS, whileBroken, wrongChecksum } from './s3-faults.ts'

const { FAULT_POINTS = '2' } = process.env
/** How many of all the points, evenly spread. */
const MOST = FAULT_POINTS === 'all' ? Number.POSITIVE_INFINITY : Number(FAULT_POINTS)
/** Longer than an answer takes on a busy machine, and short enough to be waited for. */
const PATIENCE_MS = 2_000
const PART_BYTES = 300_000
const DAY_MS = 24 * 3_600_000
const OPERATOR = { authorization: `Basic ${Buffer.from('admin:operator').toString('base64')}` }

const small = createRandom(1).bytes(20_000)
/** More than one part. */
const large = createRandom(2).bytes(2 * PART_BYTES + 50_000)

/** A step of the story. It can be taken again where it failed, in the name of whoever has signed in by then. */
type Step = readonly [name: string, work: (alice: TestAccount) => Promise<unknown>]

async function openScene() {
  const server = await startS3TestServer()
  const blobsBucket = {
    ...server.location,
    partBytes: PART_BYTES,
    requestTimeoutMs: PATIENCE_MS,
    uploadTimeoutMs: PATIENCE_MS,
    maxAttempts: 1,
  }
  const pds = await openTestPds({
    config: { blobsBucket, blobUploadLimitBytes: 1_000_000, replayWindowMs: 30 * DAY_MS },
  })
  const alice = await pds.createAccount('alice')
  const bob = await pds.createAccount('bob')
  await post(pds, bob, 'one', createRandom(3).bytes(1_000))
  await post(pds, alice, 'old', createRandom(4).bytes(1_000))
  await writerOf(pds, alice).upload(createRandom(5).bytes(1_000))
  return {
    server,
    pds,
    alice,
    bob,
    blobsBucket,
    async [Symbol.asyncDispose]() {
      await pds[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

type Scene = Awaited<ReturnType<typeof openScene>>

async function post(pds: TestPds, account: TestAccount, rkey: string, bytes: Uint8Array): Promise<void> {
  const writer = writerOf(pds, account)
  const { blob } = await writer.upload(bytes)
  await writer.put(rkey, note(rkey, { blob }))
}

/** Blobs come in one request and in parts, one of them twice; others are let go, and go with their account. */
function storyOf({ pds, bob }: Scene): Step[] {
  return [
    ['small', (alice) => post(pds, alice, 'small', small)],
    ['large', (alice) => post(pds, alice, 'large', large)],
    ['the same again', (alice) => post(pds, alice, 'again', small)],
    ['let go', (alice) => writerOf(pds, alice).delete('old')],
    [
      'sweep',
      async () => {
        pds.clock.advance(DAY_MS + 60_000)
        await pds.pds.maintain()
      },
    ],
    [
      'delete account',
      async () => {
        await succeed(pds, 'com.atproto.admin.deleteAccount', { headers: OPERATOR, body: { did: bob.did } })
      },
    ],
  ]
}

/** Takes every step, and returns those that failed. */
async function play(scene: Scene): Promise<Step[]> {
  const failed: Step[] = []
  for (const step of storyOf(scene)) await step[1](scene.alice).catch(() => failed.push(step))
  return failed
}

async function signedIn({ pds, alice }: Scene): Promise<TestAccount> {
  const body = { identifier: alice.did, password: 'password of alice' }
  const { accessJwt } = await succeed(pds, 'com.atproto.server.createSession', { body })
  return { ...alice, accessJwt }
}

/** That rows, objects, records and stream agree, and every blob that a record refers to is served. */
async function assertSound({ pds, alice, bob, blobsBucket }: Scene): Promise<void> {
  await using blobs = await openBlobInventory({ blobsDirectory: '', blobsBucket })
  const found = await Array.fromAsync(
    verifyDataDirectory({ dataDirectory: pds.folder, blobs, now: pds.clock.now }),
  )
  assert.deepEqual(
    found.filter(({ type }) => type === 'finding'),
    [],
  )
  await assertConsistent(pds, [alice.did, bob.did])
}

const recordsOf = async ({ pds }: Scene, { did }: TestAccount): Promise<string[]> => {
  const { body } = await pds.query('com.atproto.repo.listRecords', {
    params: { repo: did, collection: 'com.example.note' },
  })
  return body.records.map(({ uri }: { uri: string }) => uri.split('/').at(-1)).sort()
}

const RECORDS: Readonly<Record<string, string>> = {
  small: 'small',
  large: 'large',
  'the same again': 'again',
}

/** Everything that has to be true once the server is well again. */
async function checkAftermath(scene: Scene, failed: readonly Step[]): Promise<void> {
  const { pds, alice, blobsBucket } = scene
  await assertSound(scene)
  const records = new Set(await recordsOf(scene, alice))
  for (const [step, rkey] of Object.entries(RECORDS))
    assert.ok(records.has(rkey) || failed.some(([name]) => name === step), `${rkey} was acknowledged`)
  // What did not work can be done again; an account that is gone is gone.
  for (const [name, work] of failed)
    await work(await signedIn(scene)).catch((error) => {
      if (name !== 'delete account') throw error
      assert.match(error.message, /AccountNotFound/)
    })
  assert.deepEqual(await recordsOf(scene, alice), ['again', 'large', 'small'])
  await assertSound(scene)
  // Objects have the time of the machine, which goes more slowly.
  for (let day = 0; day < 2; day++) {
    pds.clock.advance(2 * DAY_MS)
    await pds.pds.maintain()
  }
  using store = createS3Store(blobsBucket)
  const left = await Array.fromAsync(store.list(''))
  assert.deepEqual(
    left.map(({ size }) => size).sort((a, b) => a - b),
    [small.length, large.length],
    'only what is referred to is left',
  )
  await assertSound(scene)
}

interface Point {
  /** Among the requests of the story, from 0. */
  readonly index: number
  readonly request: string
  readonly name: string
  readonly fault: Fault
}

/** Requests of a story that nothing disturbs, each with all that can befall it. */
async function pointsOfStory(): Promise<Point[]> {
  await using scene = await openScene()
  const { seen } = scene.server
  const before = seen.length
  assert.deepEqual(await play(scene), [])
  const requests = seen.slice(before)
  await checkAftermath(scene, [])
  return requests.flatMap((request, index) => {
    const faults = request.startsWith('PUT') ? UPLOAD_FAULTS : CHANGE_FAULTS
    return faults.map(([name, fault]) => ({ index, request, name, fault }))
  })
}

test('[B7] whichever request of an upload, a sweep or a deletion S3 fails, what was acknowledged is there and the rest can be done again', async () => {
  const all = await pointsOfStory()
  const stride = Math.max(1, Math.ceil(all.length / MOST))
  const points = all.filter((_, n) => n % stride === stride >> 1)
  assert.ok(points.length > 0)
  for (const { index, request, name, fault } of points) {
    const where = `${request} (the ${index + 1}.) ${name}`
    await using scene = await openScene()
    let n = 0
    let failed: Step[] = []
    const fired = await whileBroken(
      scene.server,
      () => n++ === index,
      fault,
      async () => {
        failed = await play(scene)
      },
    )
    assert.equal(fired, 1, `${where}: fired`)
    try {
      await checkAftermath(scene, failed)
    } catch (error) {
      throw new Error(`after ${where}`, { cause: error })
    }
  }
  console.log(`# S3: ${points.length} of ${all.length} points hit`)
})

test('[B7] a blob that is there already stays when S3 answers wrongly to its second upload', async () => {
  await using scene = await openScene()
  const { pds, alice, server } = scene
  await post(pds, alice, 'small', small)
  await whileBroken(
    server,
    ({ method }) => method === 'PUT',
    wrongChecksum,
    () => post(pds, alice, 'again', small).catch(() => {}),
  )
  await assertSound(scene)
})
