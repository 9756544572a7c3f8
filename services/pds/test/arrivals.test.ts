import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { generateKeypair, parseDidKey } from '@imago/crypto'
import { decode, readCar } from '@imago/data'
import { fromBase64url } from '@imago/data/multibase'
import { collectionRange, verifyRangeExport, verifyRepo } from '@imago/repo'
import { createRandom } from '@imago/sim/random'
import { type Did, tidFromMicros } from '@imago/syntax'
import { createSessionTokens } from '../src/sessions/session-tokens.ts'
import { arriving, carOf, importCar, picture, repoOf, someRecords } from './arrival.ts'
import { createFakePlc } from './fake-plc.ts'
import { openTestPds, type TestPds } from './test-pds.ts'

const server = (name: string) => `com.atproto.server.${name}`
const sync = (name: string) => `com.atproto.sync.${name}`

const remnants = (pds: TestPds) => {
  using database = new DatabaseSync(join(pds.folder, 'pds.sqlite'), { readOnly: true })
  return database
    .prepare(
      `SELECT (SELECT count(*) FROM repo_remnant) AS numbers,
        (SELECT count(*) FROM node WHERE repo NOT IN (SELECT id FROM repo)) AS nodes,
        (SELECT count(*) FROM record WHERE repo NOT IN (SELECT id FROM repo)) AS records`,
    )
    .get() as Record<string, number>
}

/** Sweeping goes on after the answer. */
async function swept(pds: TestPds): Promise<void> {
  await using again = await pds.restart()
  const isClean = () => Object.values(remnants(again)).every((count) => count === 0)
  for (let i = 0; i < 200 && !isClean(); i++) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual({ ...remnants(again) }, { numbers: 0, nodes: 0, records: 0 })
  if (readdirSync(again.folder).includes('imports'))
    assert.deepEqual(readdirSync(join(again.folder, 'imports')), [])
}

test('[S3] an account of a DID that exists needs a token of its present host, and is born in silence', async () => {
  await using pds = await openTestPds()
  const alice = await arriving(pds)
  const now = Math.floor(pds.clock.now() / 1000)
  const refused: [what: string, token: string | undefined, error: string][] = [
    ['another audience', alice.token({ aud: 'did:web:else.test' }), 'BadJwtAudience'],
    ['a fragment of ours', alice.token({ aud: 'did:web:pds.test#atproto_pds' }), 'BadJwtAudience'],
    ['another method', alice.token({ lxm: 'com.atproto.repo.uploadBlob' }), 'BadJwtLexiconMethod'],
    ['no time left', alice.token({ exp: now }), 'JwtExpired'],
    ['another key', alice.token({}, generateKeypair('k256')), 'BadJwtSignature'],
    ['no token', 'x.y', 'BadJwt'],
  ]
  for (const [what, token, error] of refused) {
    const answer = await alice.createAccount({}, token)
    assert.deepEqual([answer.status, answer.body.error], [401, error], what)
  }
  const unnamed = await pds.procedure(server('createAccount'), {
    body: { handle: 'alice.test', password: 'x', did: alice.did },
  })
  assert.deepEqual([unnamed.status, unnamed.body.error], [401, 'AuthMissing'])
  const bob = await arriving(pds, 'bob')
  const foreign = await alice.createAccount({ did: bob.did })
  assert.deepEqual([foreign.status, foreign.body.error], [401, 'AuthMissing'])
  const unresolved = await alice.createAccount({ handle: 'alice.elsewhere.com' })
  assert.deepEqual([unresolved.status, unresolved.body.error], [400, 'UnsupportedDomain'])

  const made = await alice.createAccount()
  assert.equal(made.status, 200, JSON.stringify(made.body))
  assert.deepEqual([made.body.did, made.body.handle], [alice.did, 'alice.test'])
  const session = await pds.query(server('getSession'), { token: made.body.accessJwt })
  assert.deepEqual([session.body.active, session.body.status], [false, 'deactivated'])
  assert.equal(pds.plc.operations(alice.did).length, 1, 'its DID is the business of its owner')
  assert.deepEqual(await pds.events(), [])
  const hidden = await pds.query(sync('getRepo'), { params: { did: alice.did } })
  assert.equal(hidden.body.error, 'RepoDeactivated')
})

test('[S3] whoever begins to move in and never comes is removed after three days, in silence', async () => {
  await using pds = await openTestPds()
  const alice = await arriving(pds)
  await alice.createAccount()
  pds.clock.advance(3 * 24 * 3_600_000 - 1)
  await pds.pds.maintain()
  assert.equal((await pds.query(sync('getRepoStatus'), { params: { did: alice.did } })).status, 200)
  pds.clock.advance(2)
  await pds.pds.maintain()
  const gone = await pds.query(sync('getRepoStatus'), { params: { did: alice.did } })
  assert.equal(gone.body.error, 'RepoNotFound')
  assert.deepEqual(await pds.events(), [])
})

test('[S11] an account that was deactivated for good goes when it said, and the network is told', async () => {
  await using pds = await openTestPds()
  const bob = await pds.createAccount('bob')
  const deleteAfter = new Date(pds.clock.now() + 3_600_000).toISOString()
  await pds.procedure(server('deactivateAccount'), { token: bob.accessJwt, body: { deleteAfter } })
  pds.clock.advance(3_600_001)
  await pds.pds.maintain()
  const gone = await pds.query(sync('getRepoStatus'), { params: { did: bob.did } })
  assert.equal(gone.body.error, 'RepoNotFound')
  assert.deepEqual(
    (await pds.events()).map(({ type, body }) => [type, body['status']]),
    [['#account', 'deleted']],
  )
})

test('[S11] whoever deactivates once more says anew when the account is to go', async () => {
  await using pds = await openTestPds()
  const bob = await pds.createAccount('bob')
  const deactivate = async (minutes?: number, token = bob.accessJwt) => {
    const body =
      minutes === undefined ? {} : { deleteAfter: new Date(pds.clock.now() + minutes * 60_000).toISOString() }
    assert.equal((await pds.procedure(server('deactivateAccount'), { token, body })).status, 200)
  }
  const isHere = async (did: string) => {
    await pds.pds.maintain()
    return (await pds.query(sync('getRepoStatus'), { params: { did } })).status === 200
  }
  await deactivate()
  const { length } = await pds.events()
  await deactivate(10)
  await deactivate()
  pds.clock.advance(20 * 60_000)
  assert.ok(await isHere(bob.did), 'not to be deleted after all')
  await deactivate(10)
  assert.equal((await pds.events()).length, length, 'the network knows already')
  pds.clock.advance(20 * 60_000)
  assert.ok(!(await isHere(bob.did)))

  const alice = await arriving(pds)
  const { body: account } = await alice.createAccount()
  await deactivate(undefined, account.accessJwt)
  pds.clock.advance(3 * 24 * 3_600_000 + 1)
  assert.ok(!(await isHere(alice.did)), 'who moves in and does not come goes as before')
})

test('[S18] a reserved key is the one that the account gets, once', async () => {
  await using pds = await openTestPds()
  const alice = await arriving(pds)
  const reserve = async (body: object) =>
    (await pds.procedure(server('reserveSigningKey'), { body })).body.signingKey
  const reserved = await reserve({ did: alice.did })
  assert.equal(await reserve({ did: alice.did }), reserved)
  const nameless = await reserve({})
  assert.notEqual(nameless, reserved)
  const { body } = await alice.createAccount()
  const credentials = await pds.query('com.atproto.identity.getRecommendedDidCredentials', {
    token: body.accessJwt,
  })
  assert.equal(credentials.body.verificationMethods.atproto, reserved)
  assert.notEqual(await reserve({ did: alice.did }), reserved)
})

test('[R8] [R9] [S9] [S10] [I4] [M4] a whole move: account, repository, blobs, DID, activation', async () => {
  await using pds = await openTestPds()
  const alice = await arriving(pds)
  const { body: account } = await alice.createAccount()
  const token = account.accessJwt
  const status = async () => (await pds.query(server('checkAccountStatus'), { token })).body
  const before = await status()
  assert.deepEqual(
    [before.activated, before.validDid, before.indexedRecords, before.privateStateValues],
    [false, false, 0, 0],
  )

  const rev = tidFromMicros((pds.clock.now() + 60_000) * 1000, 7)
  const repo = repoOf(alice.did, alice.oldKey, someRecords(200), rev)
  const imported = await importCar(pds, token, repo.car)
  assert.equal(imported.status, 200, JSON.stringify(imported.body))
  const after = await status()
  assert.deepEqual([after.indexedRecords, after.expectedBlobs, after.importedBlobs], [200, 14, 0])
  assert.equal(after.repoBlocks, 1 + 200 + [...repo.tree.nodes()].length)
  assert.ok(after.repoRev > rev, 'a revision beyond the one that came, which was ahead of the clock')

  // Blobs, until none lacks.
  const missing = []
  for (let cursor: string | undefined; ; ) {
    const page = await pds.query('com.atproto.repo.listMissingBlobs', {
      token,
      params: { limit: 5, ...(cursor && { cursor }) },
    })
    missing.push(...page.body.blobs)
    cursor = page.body.cursor
    if (cursor === undefined) break
  }
  assert.equal(missing.length, 14)
  assert.match(missing[0].recordUri, new RegExp(`^at://${alice.did}/app\\.bsky\\.feed\\.post/`))
  for (let i = 0; i < 200; i++)
    if (i % 10 === 1 && i % 3 !== 0) {
      const { body } = await pds.procedure('com.atproto.repo.uploadBlob', {
        token,
        body: picture(i),
        headers: { 'content-type': 'image/sniffed-otherwise' },
      })
      assert.equal(body.blob.mimeType, 'image/x-test', 'the record says what it is')
    }
  assert.deepEqual((await pds.query('com.atproto.repo.listMissingBlobs', { token })).body, { blobs: [] })
  assert.equal((await status()).importedBlobs, 14)

  // Not before the DID document says so.
  const early = await pds.procedure(server('activateAccount'), { token })
  assert.deepEqual([early.status, early.body.error], [400, 'InvalidRequest'])
  assert.match(early.body.message, /old\.test/)
  await alice.pointHere(account)
  assert.equal((await status()).validDid, true)
  assert.deepEqual(await pds.events(), [])
  assert.equal((await pds.procedure(server('activateAccount'), { token })).status, 200)
  const events = await pds.events()
  assert.deepEqual(
    events.map(({ type }) => type),
    ['#account', '#identity', '#sync'],
  )

  // The same records, byte for byte, under a commit of ours.
  const exported = await pds.query(sync('getRepo'), { params: { did: alice.did } })
  const { roots, blocks } = readCar(exported.body)
  const key = parseDidKey(`did:key:${pds.plc.document(alice.did).verificationMethod![0]!.publicKeyMultibase}`)
  const { commit, records } = verifyRepo({ roots, blocks }, { did: alice.did, key })
  assert.deepEqual(
    [...records].map(([path, cid]) => `${path} ${cid}`).sort(),
    repo.entries.map(([path, cid]) => `${path} ${cid}`).sort(),
  )
  for (const [, cid] of repo.entries) assert.deepEqual(blocks.get(cid), repo.blocks.get(cid))
  assert.ok(commit.data.equals(repo.tree.root))
  assert.equal(events[2]!.body['rev'], commit.rev)

  // It is written to like any other; a like of the same subject replaces the one that came along.
  const { body: like } = await pds.procedure('com.atproto.repo.createRecord', {
    token,
    body: {
      repo: alice.did,
      collection: 'app.bsky.feed.like',
      record: {
        subject: { uri: 'at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3', cid: 'bafy' },
      },
    },
  })
  const commitEvent = (await pds.events()).at(-1)!
  assert.deepEqual([commitEvent.type, commitEvent.body['rev']], ['#commit', like.commit.rev])
  assert.deepEqual(commitEvent.body['ops'].map((op: { action: string }) => op.action).sort(), [
    'create',
    'delete',
  ])
  await swept(pds)
})

test('[S10] [I4] an import that ends while an account is activated is what the network hears of', async () => {
  const plc = createFakePlc(() => 0)
  let meanwhile = async () => {}
  const data = async (did: Did) => {
    await meanwhile()
    return plc.data(did)
  }
  await using pds = await openTestPds({ plc, ports: { plc: { ...plc, data } } })
  const alice = await arriving(pds)
  const { body: account } = await alice.createAccount()
  await alice.pointHere(account)
  meanwhile = async () => {
    const { car } = repoOf(alice.did, alice.oldKey, someRecords(3))
    assert.equal((await importCar(pds, account.accessJwt, car)).status, 200)
  }
  const activated = await pds.procedure(server('activateAccount'), { token: account.accessJwt })
  assert.equal(activated.status, 200, JSON.stringify(activated.body))
  const { body: latest } = await pds.query(sync('getLatestCommit'), { params: { did: alice.did } })
  const last = (await pds.events()).at(-1)!
  assert.deepEqual([last.type, last.body['rev']], ['#sync', latest.rev])
  assert.equal(String(readCar(last.body['blocks']).roots[0]), latest.cid)
})

test('[R8] [I4] an import tells the network as the account stands at its end, not as it stood', async () => {
  await using pds = await openTestPds()
  const alice = await arriving(pds)
  const { body: account } = await alice.createAccount()
  const token = account.accessJwt
  await alice.pointHere(account)
  const { car } = repoOf(alice.did, alice.oldKey, someRecords(3))
  const importDuring = async (work: () => Promise<void>) => {
    const pieces = [car.slice(0, -10), car.slice(-10)]
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (pieces.length === 1) await work()
          const piece = pieces.shift()
          if (piece === undefined) controller.close()
          else controller.enqueue(piece)
        },
      },
      { highWaterMark: 0 },
    )
    const answer = await importCar(pds, token, body)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
  }
  const change = async (name: string) => {
    const answer = await pds.procedure(server(name), { token, ...(name.startsWith('de') && { body: {} }) })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
  }

  await importDuring(() => change('activateAccount'))
  const { body: latest } = await pds.query(sync('getLatestCommit'), { params: { did: alice.did } })
  const last = (await pds.events()).at(-1)!
  assert.deepEqual([last.type, last.body['rev']], ['#sync', latest.rev])

  await importDuring(() => change('deactivateAccount'))
  assert.deepEqual(
    (await pds.events()).slice(-2).map(({ type }) => type),
    ['#sync', '#account'],
    'nothing of an account that is not active',
  )
})

test('[M6] an import over a repository replaces it, and what stays the same keeps its revision', async () => {
  await using pds = await openTestPds()
  const alice = await arriving(pds)
  const { body: account } = await alice.createAccount()
  const token = account.accessJwt
  const records = someRecords(100)
  await importCar(pds, token, repoOf(alice.did, alice.oldKey, records).car)
  const since = (await pds.query(server('checkAccountStatus'), { token })).body.repoRev
  const [gone, changed] = Object.keys(records).filter((path) => path.includes('post'))
  const next = { ...records, [changed!]: { $type: 'app.bsky.feed.post', text: 'edited' } }
  delete next[gone!]
  const again = await importCar(pds, token, repoOf(alice.did, alice.oldKey, next).car)
  assert.equal(again.status, 200, JSON.stringify(again.body))
  await alice.pointHere(account)
  await pds.procedure(server('activateAccount'), { token })
  const { body: whole } = await pds.query(sync('getRepo'), { params: { did: alice.did } })
  assert.equal(verifyRepo(readCar(whole)).records.size, 99)
  const { body: diff } = await pds.query(sync('getRepo'), { params: { did: alice.did, since } })
  const blocks = [...readCar(diff).blocks].map(({ bytes }) => decode(bytes) as Record<string, unknown>)
  assert.deepEqual(
    blocks.filter(({ $type: type }) => type !== undefined).map(({ text }) => text),
    ['edited'],
  )
  // Of an active account, the stream says that it begins anew.
  const before = (await pds.events()).length
  await importCar(pds, token, repoOf(alice.did, alice.oldKey, records).car)
  assert.deepEqual(
    (await pds.events()).slice(before).map(({ type }) => type),
    ['#sync'],
  )
  await swept(pds)
})

test('[S3] [M6] moving back revives the account that was left behind, and ends its sessions', async () => {
  await using pds = await openTestPds()
  const alice = await arriving(pds)
  const { body: account } = await alice.createAccount()
  await importCar(pds, account.accessJwt, repoOf(alice.did, alice.oldKey, someRecords(10)).car)
  const back = await alice.createAccount({ handle: 'alicia.test', password: 'another' })
  assert.deepEqual([back.status, back.body.handle], [200, 'alicia.test'])
  const refreshed = await pds.procedure(server('refreshSession'), { token: account.refreshJwt })
  assert.equal(refreshed.status, 400)
  const { body } = await pds.query(server('checkAccountStatus'), { token: back.body.accessJwt })
  assert.equal(body.indexedRecords, 10)
  await alice.pointHere(back.body)
  await pds.procedure(server('activateAccount'), { token: back.body.accessJwt })
  const active = await alice.createAccount({}, alice.token({}, alice.oldKey))
  assert.equal(active.status, 401, 'the old key speaks for the DID no more')
})

test('[R8] only what the DID ever signed comes in, of the right account, and not from the future', async () => {
  await using pds = await openTestPds()
  const alice = await arriving(pds)
  const bob = await arriving(pds, 'bob')
  const { body: account } = await alice.createAccount()
  const records = someRecords(5)
  const future = tidFromMicros((pds.clock.now() + 6 * 60_000) * 1000, 0)
  const refused: [what: string, car: Uint8Array, message: RegExp][] = [
    ['another account', repoOf(bob.did, bob.oldKey, records).car, new RegExp(`repository of ${bob.did}`)],
    ['a stranger', repoOf(alice.did, bob.oldKey, records).car, /no key that .* ever had/],
    ['the future', repoOf(alice.did, alice.oldKey, records, future).car, /6 minutes ahead/],
    [
      'no record',
      repoOf(alice.did, alice.oldKey, { ...records, 'app.bsky.feed.post/x': new Uint8Array([0xfb, 1]) }).car,
      /app\.bsky\.feed\.post\/x cannot be read/,
    ],
    [
      'a list',
      repoOf(alice.did, alice.oldKey, { 'app.bsky.feed.post/x': ['x'] }).car,
      /app\.bsky\.feed\.post\/x is not a map/,
    ],
  ]
  for (const [what, car, message] of refused) {
    const { status, body } = await importCar(pds, account.accessJwt, car)
    assert.deepEqual([status, body.error], [400, 'InvalidRequest'], what)
    assert.match(body.message, message, what)
  }
  // A key that was changed since is as good as that of today; so is our own, for what was exported here.
  const car = repoOf(alice.did, alice.oldKey, records).car
  await alice.pointHere(account)
  assert.equal((await importCar(pds, account.accessJwt, car)).status, 200)
  await pds.procedure(server('activateAccount'), { token: account.accessJwt })
  const own = (await pds.query(sync('getRepo'), { params: { did: alice.did } })).body
  assert.equal((await importCar(pds, account.accessJwt, own)).status, 200)
  await swept(pds)
})

test('[R8] hostile files end in a clear error, and leave nothing', async () => {
  await using pds = await openTestPds({ config: { maxImportBytes: 400_000 } })
  const alice = await arriving(pds)
  const token = (await alice.createAccount()).body.accessJwt
  const repo = repoOf(alice.did, alice.oldKey, someRecords(300))
  const { signed, sent, car } = repo
  const random = createRandom(3)
  const large = repoOf(alice.did, alice.oldKey, {
    ...Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`com.example.a/k${i}`, { text: 'x'.repeat(20_000) }]),
    ),
  })
  const refused: [what: string, body: Uint8Array, status: number, message: RegExp][] = [
    ['nothing', new Uint8Array(0), 400, /CAR|body/],
    ['a huge length', new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), 400, /CAR/],
    ['a huge header', new Uint8Array([0xff, 0xff, 0x7f, ...random.bytes(9)]), 400, /CAR|bytes/],
    ['cut off', car.subarray(0, car.length - 20), 400, /cut off|absent|missing|not there/],
    ['without a node', carOf([signed.cid], sent.toSpliced(3, 1)), 400, /./],
    ['without a commit', carOf([signed.cid], sent.slice(1)), 400, /commit/],
    ['no root', carOf([], sent), 400, /\broot/],
    [
      'one large record at many paths',
      carOf([large.signed.cid], [...large.blocks].reverse()),
      400,
      /more than 400000 bytes/,
    ],
    ['too long', carOf([signed.cid], [...sent, ...Array.from({ length: 30 }, () => sent).flat()]), 413, /./],
  ]
  for (const [what, body, status, message] of refused) {
    const chunked = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < body.length; at += 5000) controller.enqueue(body.subarray(at, at + 5000))
        controller.close()
      },
    })
    const answer = await importCar(pds, token, chunked)
    assert.equal(answer.status, status, `${what}: ${JSON.stringify(answer.body)}`)
    assert.match(answer.body.message, message, what)
    const { body: state } = await pds.query(server('checkAccountStatus'), { token })
    assert.equal(state.indexedRecords, 0, what)
  }
  // What a crash in the middle of one leaves goes when the server starts again.
  {
    using database = new DatabaseSync(join(pds.folder, 'pds.sqlite'))
    database.exec(`INSERT INTO repo_remnant (id) VALUES (900);
      INSERT INTO record (repo, path, cid, rev, bytes) VALUES (900, 'com.example.a/a', x'00', '3', x'a0');
      INSERT INTO node (repo, cid, rev, bytes) VALUES (900, x'00', '3', x'a0')`)
  }
  // Nothing of it keeps the honest one from coming in, in any order, twice, with blocks that belong to nobody.
  const stray = { cid: large.sent[2]!.cid, bytes: large.sent[2]!.bytes }
  const shuffled = random.shuffle([...sent, ...sent, stray])
  assert.equal((await importCar(pds, token, carOf([signed.cid], shuffled))).status, 200)
  await swept(pds)
})

test('[R8] the operator closes it by a switch; one import of an account at a time', async () => {
  await using pds = await openTestPds()
  const alice = await arriving(pds)
  const token = (await alice.createAccount()).body.accessJwt
  const { car } = repoOf(alice.did, alice.oldKey, someRecords(50))
  let finish = () => {}
  const slow = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(car.subarray(0, 8000))
      finish = () => {
        controller.enqueue(car.subarray(8000))
        controller.close()
      }
    },
  })
  const first = importCar(pds, token, slow)
  const second = await importCar(pds, token, car)
  assert.match(second.body.message, /is under way/)
  finish()
  assert.equal((await first).status, 200)

  await using closed = await openTestPds({ config: { acceptsImports: false } })
  const bob = await arriving(closed, 'bob')
  const { body } = await bob.createAccount()
  const answer = await importCar(closed, body.accessJwt, car)
  assert.match(answer.body.message, /does not take in/)
})

test('[S8] [U10] service tokens say who asks whom for what, and not for long', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const now = Math.floor(pds.clock.now() / 1000)
  const ask = (params: Record<string, string | number>) =>
    pds.query(server('getServiceAuth'), { token: alice.accessJwt, params })
  const lxm = 'app.bsky.feed.getTimeline'
  const aud = 'did:web:api.example.com#bsky_appview'
  const { body } = await ask({ aud, lxm })
  const [header, claims] = body.token
    .split('.')
    .slice(0, 2)
    .map((part: string) => JSON.parse(new TextDecoder().decode(fromBase64url(part))))
  assert.deepEqual(header, { typ: 'JWT', alg: 'ES256K' })
  assert.deepEqual({ ...claims, jti: '' }, { iat: now, iss: alice.did, aud, exp: now + 60, lxm, jti: '' })
  for (const [params, error] of [
    [{ aud, exp: now - 1 }, 'BadExpiration'],
    [{ aud, exp: now + 61 }, 'BadExpiration'],
    [{ aud, lxm, exp: now + 3601 }, 'BadExpiration'],
    [{ aud: 'somewhere' }, 'InvalidRequest'],
    [{ aud: `${aud}#more` }, 'InvalidRequest'],
    [{ aud, lxm: 'com.atproto.server.CREATEAppPassword' }, 'InvalidRequest'],
  ] as const)
    assert.equal((await ask(params)).body.error, error, JSON.stringify(params))
  assert.equal((await ask({ aud, lxm, exp: now + 3600 })).status, 200)
})

test('[S8] [U5] private messages open to the password of the account, and to app passwords that may', async () => {
  await using pds = await openTestPds()
  const { did, accessJwt } = await pds.createAccount('alice')
  const tokens = createSessionTokens({
    secret: 'a secret of the tests, long enough',
    serviceDid: 'did:web:pds.test',
    now: pds.clock.now,
    randomId: () => 'some',
  })
  const ask = async (token: string, lxm: string) => {
    const params = { aud: 'did:web:api.bsky.chat', lxm }
    return (await pds.query(server('getServiceAuth'), { token, params })).status
  }
  const plain = await tokens.issueAccess({ did, scope: 'com.atproto.appPass' })
  const privileged = await tokens.issueAccess({ did, scope: 'com.atproto.appPassPrivileged' })
  for (const lxm of ['chat.bsky.convo.listConvos', 'com.atproto.server.createAccount'])
    assert.deepEqual(
      await Promise.all([accessJwt, privileged, plain].map((token) => ask(token, lxm))),
      [200, 200, 400],
    )
  assert.equal(await ask(plain, 'app.bsky.feed.getTimeline'), 200)
})

test('[Y10] getHead and getCheckout say what getLatestCommit and getRepo do', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const params = { did: alice.did }
  const latest = await pds.query(sync('getLatestCommit'), { params })
  assert.deepEqual((await pds.query(sync('getHead'), { params })).body, { root: latest.body.cid })
  const none = await pds.query(sync('getHead'), { params: { did: 'did:plc:unknown' } })
  assert.equal(none.body.error, 'HeadNotFound')
  assert.deepEqual(
    (await pds.query(sync('getCheckout'), { params })).body,
    (await pds.query(sync('getRepo'), { params })).body,
  )
})

test('[Y1] getRepo of one collection proves that it is all of it', async () => {
  await using pds = await openTestPds()
  const alice = await arriving(pds)
  const { body: account } = await alice.createAccount()
  const { car, entries } = repoOf(alice.did, alice.oldKey, someRecords(300))
  await importCar(pds, account.accessJwt, car)
  await alice.pointHere(account)
  await pds.procedure(server('activateAccount'), { token: account.accessJwt })
  const part = async (collection: string) => {
    const answer = await pds.query(sync('getRepo'), { params: { did: alice.did, collection } })
    return verifyRangeExport(readCar(answer.body), collectionRange(collection), { did: alice.did }).records
  }
  const likes = entries.filter(([path]) => path.startsWith('app.bsky.feed.like/'))
  assert.deepEqual([...(await part('app.bsky.feed.like')).keys()].sort(), likes.map(([path]) => path).sort())
  assert.equal((await part('app.bsky.feed.repost')).size, 0)
  const wrong: Record<string, string>[] = [
    { collection: 'likes' },
    { collection: 'app.bsky.feed.like', since: '3jzfcijpj2z2a' },
  ]
  for (const params of wrong) {
    const refused = await pds.query(sync('getRepo'), { params: { did: alice.did, ...params } })
    assert.deepEqual([refused.status, refused.body.error], [400, 'InvalidRequest'])
  }
})
