import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { parseDidKey } from '@imago/crypto'
import { decodeJwt } from 'jose'
import { PlcClientError } from '../src/identity/plc-client.ts'
import { openTestPds, PUBLIC_URL } from './test-pds.ts'

const server = (name: string) => `com.atproto.server.${name}`

test('[S1] describeServer says what sign-up needs, without authentication', async () => {
  await using pds = await openTestPds({
    config: { privacyPolicyUrl: 'https://pds.test/privacy', contactEmail: 'op@pds.test' },
  })
  const { status, body } = await pds.query(server('describeServer'))
  assert.equal(status, 200)
  assert.deepEqual(body, {
    did: 'did:web:pds.test',
    availableUserDomains: ['.test'],
    inviteCodeRequired: false,
    phoneVerificationRequired: false,
    blobUploadLimit: 100_000,
    links: { privacyPolicy: 'https://pds.test/privacy' },
    contact: { email: 'op@pds.test' },
  })
})

test('[S2] a new account has a DID in the directory that points here, and a session', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const [operation, ...more] = pds.plc.operations(alice.did)
  assert.equal(more.length, 0)
  assert.ok(operation?.type === 'plc_operation')
  assert.deepEqual(operation.alsoKnownAs, ['at://alice.test'])
  assert.deepEqual(operation.services, {
    atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: PUBLIC_URL },
  })
  assert.equal(parseDidKey(operation.verificationMethods['atproto']!).curve, 'k256')
  assert.equal(operation.rotationKeys.length, 1)
  const session = await pds.query(server('getSession'), { token: alice.accessJwt })
  assert.equal(session.body.handle, 'alice.test')
})

test('[S2] a recovery key of the person and one of the operator outrank ours', async () => {
  const operators = 'did:key:zQ3shhCGUqDKjStzuDxPkTxN6ujddP4RkEKJJouJGRRkaLGbg'
  const persons = 'did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169'
  await using pds = await openTestPds({ config: { recoveryDidKey: operators } })
  const { body } = await pds.procedure(server('createAccount'), {
    body: { handle: 'bob.test', password: 'x', recoveryKey: persons },
  })
  const [operation] = pds.plc.operations(body.did)
  assert.ok(operation?.type === 'plc_operation')
  assert.deepEqual(operation.rotationKeys.slice(0, 2), [persons, operators])
  assert.equal(operation.rotationKeys.length, 3)
})

test('[S2] [M1] what cannot be signed up with is refused by name, and reaches no directory', async () => {
  await using pds = await openTestPds()
  await pds.createAccount('alice')
  const password = 'a password'
  const refused: [what: string, body: object, error: string, message: RegExp][] = [
    ['another domain', { handle: 'bob.elsewhere.com', password }, 'UnsupportedDomain', /not under a domain/],
    ['a short name', { handle: 'bo.test', password }, 'InvalidHandle', /too short/],
    ['a long name', { handle: `${'b'.repeat(19)}.test`, password }, 'InvalidHandle', /too long/],
    ['a name with dots', { handle: 'bob.smith.test', password }, 'InvalidHandle', /only one name/],
    ['a reserved name', { handle: 'admin.test', password }, 'HandleNotAvailable', /reserved/],
    ['no handle at all', { handle: 'not a handle', password }, 'InvalidRequest', /handle/],
    ['a name that is taken', { handle: 'ALICE.test', password }, 'HandleNotAvailable', /taken/],
    ['no password', { handle: 'bob.test' }, 'InvalidPassword', /needed/],
    ['a long password', { handle: 'bob.test', password: 'x'.repeat(257) }, 'InvalidPassword', /257/],
    ['a bad address', { handle: 'bob.test', password, email: 'bob' }, 'InvalidRequest', /email/],
    [
      'an address that is taken',
      { handle: 'bob.test', password, email: 'ALICE@example.com' },
      'InvalidRequest',
      /another account/,
    ],
    ['a bad recovery key', { handle: 'bob.test', password, recoveryKey: 'x' }, 'InvalidRequest', /did:key/],
    ['an operation', { handle: 'bob.test', password, plcOp: {} }, 'InvalidRequest', /plcOp/],
  ]
  for (const [what, body, error, message] of refused) {
    const answer = await pds.procedure(server('createAccount'), { body })
    assert.equal(answer.status, 400, what)
    assert.equal(answer.body.error, error, what)
    assert.match(answer.body.message, message, what)
  }
  const moving = await pds.procedure(server('createAccount'), {
    body: { handle: 'bob.test', password, did: 'did:plc:ewvi7nxzyoun6zhxrhs64oiz' },
  })
  assert.equal(moving.status, 401)
  assert.match(moving.body.message, /service token/)
  assert.equal(pds.plc.dids.length, 1)
})

test('[S2] a server for invited people closes sign-up while it has no codes', async () => {
  await using pds = await openTestPds({ config: { inviteRequired: true } })
  const answer = await pds.procedure(server('createAccount'), {
    body: { handle: 'bob.test', password: 'x', inviteCode: 'pds-test-abcde-fghij' },
  })
  assert.deepEqual([answer.status, answer.body.error], [400, 'InvalidInviteCode'])
})

test('[S2] when the directory refuses, nothing is left of the account', async () => {
  await using pds = await openTestPds()
  pds.plc.failures.push(new PlcClientError('the directory is down', undefined))
  const body = { handle: 'bob.test', password: 'x' }
  const failed = await pds.procedure(server('createAccount'), { body })
  assert.deepEqual([failed.status, failed.body.error], [502, 'UpstreamFailure'])
  assert.equal(pds.plc.failures.length, 0, 'the fault fired')
  assert.deepEqual(await pds.events(), [])
  assert.equal((await pds.procedure(server('createAccount'), { body })).status, 200)
})

test('[S2] two who want one handle at once: one has it, and the DID of the other is taken back', async () => {
  await using pds = await openTestPds()
  const body = { handle: 'bob.test', password: 'x' }
  const answers = await Promise.all([1, 2].map(() => pds.procedure(server('createAccount'), { body })))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400])
  const winner = answers.find(({ status }) => status === 200)!.body.did
  const loser = pds.plc.dids.find((did) => did !== winner)!
  assert.deepEqual(
    pds.plc.operations(loser).map(({ type }) => type),
    ['plc_operation', 'plc_tombstone'],
  )
  assert.deepEqual(
    pds.plc.operations(winner).map(({ type }) => type),
    ['plc_operation'],
  )
})

test('[S4] a session is had by handle, DID or email', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  for (const identifier of [
    'alice.test',
    'ALICE.TEST',
    alice.did,
    'alice@example.com',
    'Alice@Example.com',
  ]) {
    const { status, body } = await pds.procedure(server('createSession'), {
      body: { identifier, password: 'password of alice' },
    })
    assert.equal(status, 200, identifier)
    assert.deepEqual(
      [
        body.did,
        body.handle,
        body.email,
        body.emailConfirmed,
        body.emailAuthFactor,
        body.active,
        body.didDoc.id,
      ],
      [alice.did, 'alice.test', 'alice@example.com', false, false, true, alice.did],
    )
  }
})

test('[S4] createSession answers the same 401 for an unknown user and a wrong password', async () => {
  await using pds = await openTestPds()
  await pds.createAccount('alice')
  const answers = await Promise.all(
    [
      { identifier: 'alice.test', password: 'wrong' },
      { identifier: 'nobody.test', password: 'wrong' },
      { identifier: 'nobody@example.com', password: 'wrong' },
      { identifier: 'nonsense', password: 'wrong' },
      { identifier: 'alice.test', password: 'x'.repeat(513) },
    ].map((body) => pds.procedure(server('createSession'), { body })),
  )
  for (const { status, body } of answers)
    assert.deepEqual(
      [status, body],
      [401, { error: 'AuthenticationRequired', message: 'Invalid identifier or password' }],
    )
})

test('[S5] refreshSession exchanges a refresh token, twice for the same successor within two hours', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const refresh = () => pds.procedure(server('refreshSession'), { token: alice.refreshJwt })
  const [first, again] = [await refresh(), await refresh()]
  assert.equal(first.status, 200)
  assert.equal(decodeJwt(first.body.refreshJwt).jti, decodeJwt(again.body.refreshJwt).jti)
  assert.equal(first.body.handle, 'alice.test')
  pds.clock.advance(2 * 3_600_000)
  const late = await refresh()
  assert.deepEqual([late.status, late.body.error], [400, 'ExpiredToken'])
  const wrongToken = await pds.procedure(server('refreshSession'), { token: alice.accessJwt })
  assert.deepEqual([wrongToken.status, wrongToken.body.error], [400, 'InvalidToken'])
})

test('[S6] deleteSession takes the refresh token, an expired one too, and may be repeated', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  pds.clock.advance(91 * 86_400_000)
  for (let i = 0; i < 2; i++)
    assert.equal((await pds.procedure(server('deleteSession'), { token: alice.refreshJwt })).status, 200)
  const bob = await pds.createAccount('bob')
  await pds.procedure(server('deleteSession'), { token: bob.refreshJwt })
  const ended = await pds.procedure(server('refreshSession'), { token: bob.refreshJwt })
  assert.deepEqual([ended.status, ended.body.error], [400, 'ExpiredToken'])
})

test('[S7] [S11] getSession works for a deactivated account, and says so; writing does not', async () => {
  await using pds = await openTestPds()
  const { accessJwt: token, did } = await pds.createAccount('alice')
  assert.equal((await pds.procedure(server('deactivateAccount'), { token, body: {} })).status, 200)
  const session = await pds.query(server('getSession'), { token })
  assert.deepEqual([session.body.active, session.body.status], [false, 'deactivated'])
  const write = await pds.procedure('com.atproto.repo.createRecord', {
    token,
    body: { repo: did, collection: 'com.example.note', record: {} },
  })
  assert.deepEqual([write.status, write.body.error], [401, 'AccountDeactivated'])
  const again = await pds.procedure(server('createSession'), {
    body: { identifier: did, password: 'password of alice' },
  })
  assert.deepEqual([again.status, again.body.status], [200, 'deactivated'])
})

test('[S10] a deactivated account comes back: account, identity, sync', async () => {
  await using pds = await openTestPds()
  const { accessJwt: token, did } = await pds.createAccount('alice')
  await pds.procedure(server('deactivateAccount'), { token, body: {} })
  const before = (await pds.events()).at(-1)!.body['seq']
  assert.equal((await pds.procedure(server('activateAccount'), { token })).status, 200)
  const events = await pds.events(before)
  assert.deepEqual(
    events.map(({ type, body }) => [type, body['did'], body['active']]),
    [
      ['#account', did, true],
      ['#identity', did, undefined],
      ['#sync', did, undefined],
    ],
  )
  assert.equal((await pds.query(server('getSession'), { token })).body.active, true)
})

test('[U3] errors of authentication have the names and statuses that clients know', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const session = (headers: Record<string, string>) => pds.query(server('getSession'), { headers })
  const missing = await session({})
  assert.deepEqual([missing.status, missing.body.error], [401, 'AuthMissing'])
  assert.deepEqual(Object.keys(missing.body), ['error', 'message'])
  const garbage = await session({ authorization: 'Bearer garbage' })
  assert.deepEqual([garbage.status, garbage.body.error], [400, 'InvalidToken'])
  const scheme = await session({ authorization: `DPoP ${alice.accessJwt}` })
  assert.deepEqual([scheme.status, scheme.body.error], [400, 'InvalidToken'])
  const lowerCase = await session({ authorization: `bearer ${alice.accessJwt}` })
  assert.equal(lowerCase.status, 200)
  assert.equal(lowerCase.headers.get('cache-control'), 'private')
  assert.match(lowerCase.headers.get('vary')!, /Authorization/)
  pds.clock.advance(2 * 3_600_000)
  const expired = await session({ authorization: `Bearer ${alice.accessJwt}` })
  assert.deepEqual([expired.status, expired.body.error], [400, 'ExpiredToken'])
})

test('[U3] [F8] the operator deletes an account: its sessions end, its events go, and one says so', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const bob = await pds.createAccount('bob')
  const remove = (authorization: string, did: string) =>
    pds.procedure('com.atproto.admin.deleteAccount', { headers: { authorization }, body: { did } })
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
  assert.equal((await remove(basic('admin:wrong'), alice.did)).status, 401)
  assert.equal((await remove(`Bearer ${alice.accessJwt}`, alice.did)).status, 400)
  assert.equal((await remove(basic('admin:operator'), alice.did)).status, 200)
  assert.equal((await remove(basic('admin:operator'), alice.did)).body.error, 'AccountNotFound')

  const gone = await pds.query(server('getSession'), { token: alice.accessJwt })
  assert.deepEqual([gone.status, gone.body.error], [403, 'AccountNotFound'])
  const repo = await pds.query('com.atproto.sync.getRepo', { params: { did: alice.did } })
  assert.deepEqual([repo.status, repo.body.error], [400, 'RepoNotFound'])

  const expected = [alice.did, bob.did].map((did) =>
    did === alice.did
      ? [['#account', false, 'deleted']]
      : [['#identity'], ['#account', true], ['#commit'], ['#sync']],
  )
  const seen = async (from: Awaited<ReturnType<typeof openTestPds>>) => {
    const events = await from.events()
    return [alice.did, bob.did].map((did) =>
      events
        .filter(({ body }) => (body['did'] ?? body['repo']) === did)
        .map(({ type, body }) => [type, body['active'], body['status']].filter((part) => part !== undefined)),
    )
  }
  assert.deepEqual(await seen(pds), expected)
  await using later = await pds.restart()
  assert.deepEqual(await seen(later), expected)
})

test('[Z9] what holds signing keys is made for its owner alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-pds-'))
  const dataDirectory = join(folder, 'made', 'here')
  try {
    await using pds = await openTestPds({ config: { dataDirectory } })
    await pds.createAccount('alice')
    const modeOf = (name: string) => (statSync(join(dataDirectory, name)).mode & 0o777).toString(8)
    assert.deepEqual(['.', 'pds.sqlite', 'pds.sqlite-wal'].map(modeOf), ['700', '600', '600'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
