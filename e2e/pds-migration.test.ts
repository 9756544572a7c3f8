// Accounts move between our PDS and the reference, by the published client, through our PLC directory.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Agent } from '@atproto/api'
import { generateKeypair, type Keypair } from '@imago/crypto'
import { readCar } from '@imago/data'
import { type PlcOperation, updateOperation } from '@imago/identity/plc'
import { verifyRepo } from '@imago/repo'
import { infrastructureTest } from '@imago/sim/infrastructure'
import {
  missingReferencePds,
  startOurPds,
  startPlc,
  startReferencePds,
  type TestService,
} from './reference-pds.ts'

const POST = 'app.bsky.feed.post'
const missing = await missingReferencePds()

interface Hosts extends AsyncDisposable {
  readonly plc: TestService
  readonly ours: TestService
  readonly reference: TestService
}

async function startHosts(): Promise<Hosts> {
  const folder = mkdtempSync(join(tmpdir(), 'imago-migration-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const plc = stack.use(await startPlc(join(folder, 'plc')))
  const ours = stack.use(await startOurPds({ folder: join(folder, 'ours'), plcUrl: plc.url }))
  const reference = stack.use(await startReferencePds({ folder: join(folder, 'reference'), plcUrl: plc.url }))
  const started = stack.move()
  return { plc, ours, reference, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

/** The published client on one host. It keeps to that host, whatever the DID document says in the middle of a move. */
function clientOf(host: TestService): {
  agent: Agent
  signIn(session: { did: string; accessJwt: string }): void
} {
  const sessions = {
    did: undefined as string | undefined,
    token: '',
    fetchHandler(path: string, init: RequestInit): Promise<Response> {
      const headers = new Headers(init.headers)
      if (!headers.has('authorization') && sessions.token !== '')
        headers.set('authorization', `Bearer ${sessions.token}`)
      return fetch(new URL(path, host.url), { ...init, headers })
    },
  }
  return {
    agent: new Agent(sessions as never),
    signIn({ did, accessJwt }) {
      sessions.did = did
      sessions.token = accessJwt
    },
  }
}

/** Posts, some of which are edited or deleted again, and one with a picture. */
async function live(agent: Agent, did: string, posts: number): Promise<void> {
  const { data } = await agent.uploadBlob(randomBytes(5000), { encoding: 'image/x-test' })
  await agent.post({
    text: 'with a picture',
    embed: { $type: 'app.bsky.embed.images', images: [{ image: data.blob, alt: 'noise' }] },
  })
  for (let i = 0; i < posts; i++) {
    const { uri, cid } = await agent.post({ text: `post ${i} of ${posts}` })
    if (i % 5 === 1) await agent.deletePost(uri)
    else if (i % 5 === 2) await agent.like(uri, cid)
    else if (i % 5 === 3)
      await agent.com.atproto.repo.putRecord({
        repo: did,
        collection: POST,
        rkey: uri.split('/').at(-1)!,
        record: { $type: POST, text: 'edited', createdAt: new Date().toISOString() },
      })
  }
}

/** Path → CID of all records, out of a whole and verified export. */
async function recordsOf(agent: Agent, did: `did:plc:${string}`): Promise<Record<string, string>> {
  const { data } = await agent.com.atproto.sync.getRepo({ did })
  const { records } = verifyRepo(readCar(new Uint8Array(data)), { did })
  return Object.fromEntries(Array.from(records, ([path, cid]) => [path, cid.toString()]).sort())
}

/** The steps of a move up to the change of the DID, as clients take them. */
async function moveIn(
  from: Agent,
  { agent: to, signIn }: ReturnType<typeof clientOf>,
  did: string,
  account: object,
): Promise<void> {
  const { data: host } = await to.com.atproto.server.describeServer()
  const { data: auth } = await from.com.atproto.server.getServiceAuth({
    aud: host.did,
    lxm: 'com.atproto.server.createAccount',
  })
  const { data: session } = await to.com.atproto.server.createAccount(
    { did, password: 'correct horse', ...account } as never,
    { headers: { authorization: `Bearer ${auth.token}` }, encoding: 'application/json' },
  )
  signIn(session)
  await copyOver(from, to, did)
}

async function copyOver(from: Agent, to: Agent, did: string): Promise<void> {
  const { data: car } = await from.com.atproto.sync.getRepo({ did })
  await to.com.atproto.repo.importRepo(new Uint8Array(car), { encoding: 'application/vnd.ipld.car' })
  for (let cursor: string | undefined; ; ) {
    const { data } = await to.com.atproto.repo.listMissingBlobs({ limit: 1, cursor })
    for (const { cid } of data.blobs) {
      const blob = await from.com.atproto.sync.getBlob({ did, cid })
      await to.uploadBlob(blob.data, { encoding: blob.headers['content-type'] })
    }
    cursor = data.cursor
    if (cursor === undefined || data.blobs.length === 0) break
  }
}

/** What the DID has to say at the new host, signed by a key that the owner keeps. */
async function pointAt(to: Agent, plc: string, did: string, owner: Keypair): Promise<void> {
  const { data } = await to.com.atproto.identity.getRecommendedDidCredentials()
  const last = (await (await fetch(`${plc}/${did}/log/last`)).json()) as PlcOperation
  const changes = data as unknown as PlcOperation
  const operation = updateOperation(
    last,
    { ...changes, rotationKeys: [owner.didKey, ...changes.rotationKeys] },
    owner,
  )
  await to.com.atproto.identity.submitPlcOperation({ operation: operation as never })
}

/** The same, signed by the host that is left, which asks for a code that it sent by mail. */
async function letPointAt(from: Agent, to: Agent, code: () => string, owner: Keypair): Promise<void> {
  const { data } = await to.com.atproto.identity.getRecommendedDidCredentials()
  await from.com.atproto.identity.requestPlcOperationSignature()
  const { rotationKeys = [] } = data
  const signed = await from.com.atproto.identity.signPlcOperation({
    ...data,
    rotationKeys: [owner.didKey, ...rotationKeys],
    token: code(),
  })
  await to.com.atproto.identity.submitPlcOperation({ operation: signed.data.operation })
}

/** The code that the reference sent, where no mail goes out. */
function mailedCode({ folder }: TestService, did: string): string {
  using database = new DatabaseSync(join(folder, 'account.sqlite'), { readOnly: true })
  const row = database
    .prepare(`SELECT token FROM email_token WHERE did = ? AND purpose = 'plc_operation'`)
    .get(did)
  return String(row!['token'])
}

async function assertComplete(agent: Agent, records: number): Promise<void> {
  const { data } = await agent.com.atproto.server.checkAccountStatus()
  assert.deepEqual(
    [data.activated, data.validDid, data.indexedRecords, data.importedBlobs],
    [true, true, records, data.expectedBlobs],
  )
  assert.ok(data.expectedBlobs > 0)
}

infrastructureTest(
  '[R8] [M4] [M6] an account of ours moves to the reference and back, the same record for record',
  missing,
  async () => {
    await using hosts = await startHosts()
    const { plc, ours, reference } = hosts
    const owner = generateKeypair('k256')
    const [hereClient, thereClient] = [clientOf(ours), clientOf(reference)]
    const [here, there] = [hereClient.agent, thereClient.agent]
    const { data } = await here.com.atproto.server.createAccount({
      handle: 'alice.test',
      email: 'alice@example.com',
      password: 'correct horse',
      recoveryKey: owner.didKey,
    })
    hereClient.signIn(data)
    const did = data.did as `did:plc:${string}`
    await live(here, did, 60)
    const written = await recordsOf(here, did)
    assert.ok(Object.keys(written).length > 50)

    await moveIn(here, thereClient, did, { handle: 'alice-there.test', email: 'alice@example.com' })
    await pointAt(there, plc.url, did, owner)
    await there.com.atproto.server.activateAccount()
    await here.com.atproto.server.deactivateAccount({})
    assert.deepEqual(await recordsOf(there, did), written)
    await assert.rejects(recordsOf(here, did), /deactivated/)

    await there.post({ text: 'written there' })
    const later = await recordsOf(there, did)
    await moveIn(there, hereClient, did, { handle: 'alice-back.test', email: 'alice@example.com' })
    await letPointAt(there, here, () => mailedCode(reference, did), owner)
    await here.com.atproto.server.activateAccount()
    await there.com.atproto.server.deactivateAccount({})
    assert.deepEqual(await recordsOf(here, did), later)
    assert.equal(Object.keys(later).length, Object.keys(written).length + 1)
    await assertComplete(here, Object.keys(later).length)
    await here.post({ text: 'at home' })
  },
)

infrastructureTest(
  '[R8] [M4] [M6] an account of the reference moves here and back, with what it wrote in between',
  missing,
  async () => {
    await using hosts = await startHosts()
    const { plc, ours, reference } = hosts
    const owner = generateKeypair('k256')
    const [hereClient, thereClient] = [clientOf(ours), clientOf(reference)]
    const [here, there] = [hereClient.agent, thereClient.agent]
    const { data } = await there.com.atproto.server.createAccount({
      handle: 'bob.test',
      email: 'bob@example.com',
      password: 'correct horse',
    })
    thereClient.signIn(data)
    const did = data.did as `did:plc:${string}`
    await live(there, did, 20)
    const written = await recordsOf(there, did)

    await moveIn(there, hereClient, did, { handle: 'bob-here.test', email: 'bob@example.com' })
    await letPointAt(there, here, () => mailedCode(reference, did), owner)
    await here.com.atproto.server.activateAccount()
    await there.com.atproto.server.deactivateAccount({})
    assert.deepEqual(await recordsOf(here, did), written)
    await assertComplete(here, Object.keys(written).length)

    await live(here, did, 20)
    const later = await recordsOf(here, did)
    // The account that was left behind there is still its owner's.
    await copyOver(here, there, did)
    await pointAt(there, plc.url, did, owner)
    await there.com.atproto.server.activateAccount()
    await here.com.atproto.server.deactivateAccount({})
    assert.deepEqual(await recordsOf(there, did), later)
  },
)
