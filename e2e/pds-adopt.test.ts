// A reference PDS that has been lived in is killed, taken over by ours, used through the sessions that it had given,
// handed back, and used again.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AtpAgent, type AtpSessionData, type ComAtprotoAdminUpdateSubjectStatus } from '@atproto/api'
import { createS3Store } from '@imago/object-store-s3'
import { infrastructureTest } from '@imago/sim/infrastructure'
import { realS3Server } from '@imago/sim/s3-server'
import { imago } from './imago-command.ts'
import {
  missingReferencePds,
  startOurPds,
  startPlc,
  startReferencePds,
  type TestService,
} from './reference-pds.ts'
import { collectStream } from './stream.ts'
import { until } from './until.ts'

const PASSWORD = 'correct horse'
const NOTE = 'com.example.note'
const NOTES = 250
/** Without one, the reference keeps no preferences. Nobody is there, and nobody is asked. */
const APP_VIEW = {
  PDS_BSKY_APP_VIEW_URL: 'http://localhost:9',
  PDS_BSKY_APP_VIEW_DID: 'did:web:appview.test',
}

// biome-ignore lint/suspicious/noExplicitAny: tests look at reports of every command
async function imagoJson(...args: string[]): Promise<{ code: number | null; report: Record<string, any> }> {
  const { code, stdout, stderr } = await imago(['pds', ...args, '--json'])
  assert.ok(stdout.startsWith('{'), `${args.join(' ')} ended with ${code}: ${stderr}`)
  return { code, report: JSON.parse(stdout) }
}

async function kill9(service: TestService): Promise<void> {
  process.kill(service.pid, 'SIGKILL')
  await until('the reference to be gone', () => (existsSync(`/proc/${service.pid}/fd`) ? undefined : true))
}

async function signUp(service: string, name: string): Promise<AtpAgent> {
  const agent = new AtpAgent({ service })
  await agent.createAccount({ handle: `${name}.test`, email: `${name}@example.com`, password: PASSWORD })
  return agent
}

const noteWrites = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    $type: 'com.atproto.repo.applyWrites#create' as const,
    collection: NOTE,
    rkey: `note-${from + i}`,
    value: { $type: NOTE, n: from + i },
  }))

const noise = (length: number, seed: number) => new Uint8Array(length).map((_, i) => (i * seed) % 251)

const adminHeaders = (service: TestService) => ({
  headers: {
    authorization: `Basic ${Buffer.from(`admin:${service.env['PDS_ADMIN_PASSWORD']}`).toString('base64')}`,
  },
  encoding: 'application/json' as const,
})

async function rootOf(service: string, did: string): Promise<string> {
  const { data } = await new AtpAgent({ service }).com.atproto.sync.getLatestCommit({ did })
  return data.cid
}

/** Every file of the reference, with the digest of what is in it as far as it takes to see a change. */
function filesOf(folder: string): Map<string, string> {
  const files = new Map<string, string>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile())
      files.set(path, `${statSync(path).size} ${readFileSync(path).toString('base64').slice(-2000)}`)
  }
  return files
}

interface Past {
  readonly session: AtpSessionData
  /** Used once already: its grace time runs. */
  readonly usedRefreshJwt: string
  readonly appPassword: string
  readonly appSession: AtpSessionData
  readonly dids: Readonly<Record<'alice' | 'bob' | 'carol' | 'dave' | 'erin', string>>
  readonly bobSession: AtpSessionData
  readonly blob: { readonly cid: string; readonly bytes: Uint8Array }
  readonly takenDownBlob: string
  readonly inviteCode: string
  readonly reservedKey: string
}

/** What people did while the reference was there. */
async function live(reference: TestService): Promise<Past> {
  const [alice, bob, carol, dave, erin] = (await Promise.all(
    ['alice', 'bob', 'carol', 'dave', 'erin'].map((name) => signUp(reference.url, name)),
  )) as [AtpAgent, AtpAgent, AtpAgent, AtpAgent, AtpAgent]
  const did = alice.session!.did
  for (let from = 0; from < NOTES; from += 50)
    await alice.com.atproto.repo.applyWrites({ repo: did, writes: noteWrites(from, 50) })
  await alice.com.atproto.repo.deleteRecord({ repo: did, collection: NOTE, rkey: 'note-7' })
  await alice.follow(dave.session!.did)
  const bytes = noise(120_000, 7)
  const { data: upload } = await alice.uploadBlob(bytes, { encoding: 'image/png' })
  await alice.post({
    text: 'look',
    embed: { $type: 'app.bsky.embed.images', images: [{ image: upload.blob, alt: 'noise' }] },
  })
  await alice.uploadBlob(noise(5000, 11), { encoding: 'image/png' })
  await alice.app.bsky.actor.putPreferences({
    preferences: [{ $type: 'app.bsky.actor.defs#adultContentPref', enabled: true }],
  })
  const usedRefreshJwt = alice.session!.refreshJwt
  await alice.sessionManager.refreshSession()
  const { data: appPassword } = await alice.com.atproto.server.createAppPassword({ name: 'my app' })
  const app = new AtpAgent({ service: reference.url })
  await app.login({ identifier: 'alice.test', password: appPassword.password })

  const { data: bad } = await dave.uploadBlob(noise(3000, 13), { encoding: 'image/png' })
  const { data: badPost } = await dave
    .post({
      text: 'bad',
      embed: { $type: 'app.bsky.embed.images', images: [{ image: bad.blob, alt: 'bad' }] },
    })
    .then((data) => ({ data }))
  const admin = new AtpAgent({ service: reference.url }).com.atproto
  const takedown = { applied: true, ref: 'mod-1' }
  const takeDown = (subject: ComAtprotoAdminUpdateSubjectStatus.InputSchema['subject']) =>
    admin.admin.updateSubjectStatus({ subject, takedown }, adminHeaders(reference))
  await takeDown({ $type: 'com.atproto.admin.defs#repoRef', did: carol.session!.did })
  const takenDownBlob = bad.blob.ref.toString()
  await takeDown({
    $type: 'com.atproto.admin.defs#repoBlobRef',
    did: dave.session!.did,
    cid: takenDownBlob,
  })
  await takeDown({ $type: 'com.atproto.repo.strongRef', ...badPost })
  await bob.com.atproto.server.deactivateAccount({})
  const { data: invite } = await admin.server.createInviteCode({ useCount: 3 }, adminHeaders(reference))
  const { data: reserved } = await admin.server.reserveSigningKey({ did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' })
  // Last, so that it lies in the log when the process is killed.
  await alice.com.atproto.repo.applyWrites({ repo: did, writes: noteWrites(NOTES, 5) })
  return {
    session: { ...alice.session! },
    usedRefreshJwt,
    appPassword: appPassword.password,
    appSession: { ...app.session! },
    dids: {
      alice: did,
      bob: bob.session!.did,
      carol: carol.session!.did,
      dave: dave.session!.did,
      erin: erin.session!.did,
    },
    bobSession: { ...bob.session! },
    blob: { cid: upload.blob.ref.toString(), bytes },
    takenDownBlob,
    inviteCode: invite.code,
    reservedKey: reserved.signingKey,
  }
}

/** Where blobs lie, and what can be said of it without a server. */
interface BlobPlace {
  readonly env: Readonly<Record<string, string>>
  /** Names and sizes of what the reference has there; nothing where that is a part of its folder. */
  listed(): Promise<readonly string[]>
}

const onDisk: BlobPlace = { env: {}, listed: async () => [] }

const s3 = realS3Server()
const missing = await missingReferencePds()

infrastructureTest(
  '[U1, U2, U4, U5, S4, S5] a reference PDS is taken over with every session, used, handed back, and used again',
  missing,
  () => takeOverAndBack(onDisk),
)

infrastructureTest(
  '[B7, U4] a reference PDS with its blobs in S3 is taken over within the bucket, used, handed back, and used again',
  missing ?? s3.missing,
  async () => {
    const location = s3.location!
    using bucket = createS3Store(location)
    await takeOverAndBack({
      env: {
        PDS_BLOBSTORE_DISK_LOCATION: '',
        PDS_BLOBSTORE_S3_BUCKET: location.bucket,
        PDS_BLOBSTORE_S3_ENDPOINT: location.endpoint,
        PDS_BLOBSTORE_S3_REGION: 'us-east-1',
        PDS_BLOBSTORE_S3_FORCE_PATH_STYLE: 'true',
        PDS_BLOBSTORE_S3_ACCESS_KEY_ID: location.accessKeyId,
        PDS_BLOBSTORE_S3_SECRET_ACCESS_KEY: location.secretAccessKey,
      },
      async listed() {
        const found: string[] = []
        for (const prefix of ['blocks/', 'tmp/', 'quarantine/'])
          for await (const { key, size, modifiedAt } of bucket.list(prefix))
            found.push(`${key} ${size} ${modifiedAt}`)
        return found.sort()
      },
    })
  },
)

async function takeOverAndBack(blobs: BlobPlace): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'imago-adopt-'))
  try {
    await using plc = await startPlc(join(root, 'plc'))
    const folder = join(root, 'pds')
    let env: Readonly<Record<string, string>>
    let past: Past
    let roots: Record<string, string>
    {
      await using reference = await startReferencePds({
        folder,
        plcUrl: plc.url,
        env: { ...APP_VIEW, ...blobs.env },
      })
      env = reference.env
      writeFileSync(
        join(folder, 'pds.env'),
        Object.entries(env)
          .map((pair) => `${pair.join('=')}\n`)
          .join(''),
      )
      past = await live(reference)
      const running = await imago(['pds', 'adopt', folder])
      assert.equal(running.code, 2)
      assert.match(
        running.stderr,
        new RegExp(`open in process ${reference.pid}: stop the reference PDS first`),
      )
      roots = {
        alice: await rootOf(reference.url, past.dids.alice),
        erin: await rootOf(reference.url, past.dids.erin),
      }
      await kill9(reference)
    }
    assert.ok(statSync(join(folder, 'account.sqlite-wal')).size > 0, 'the log is live')

    const before = filesOf(folder)
    const objects = await blobs.listed()
    const dry = await imagoJson('adopt', folder, '--dry-run')
    assert.equal(dry.code, 0)
    assert.deepEqual([dry.report['dryRun'], dry.report['adopted']], [true, 5])
    assert.deepEqual(filesOf(folder), before, 'a dry run leaves nothing behind')

    const { code, report } = await imagoJson('adopt', folder)
    assert.equal(code, 0, JSON.stringify(report))
    assert.equal(report['adopted'], 5)
    assert.equal(report['blobTakedowns'], 1)
    assert.equal(report['recordTakedowns'], 1)
    assert.equal(report['carried'].invite_code, 1)
    assert.ok(report['carried'].reserved_key >= 1)
    assert.equal(report['settings'].PDS_SERVICE_DID, 'did:web:localhost')
    const after = filesOf(folder)
    for (const [path, content] of before) assert.equal(after.get(path), content, `${path} is as it was`)
    assert.deepEqual(await blobs.listed(), objects)

    const verified = await imagoJson('adopt', folder, '--verify')
    assert.deepEqual(verified, {
      code: 0,
      report: { accounts: 5, same: 5, movedOn: 0, unreachable: 0, differences: [] },
    })

    const ourEnv = { ...env, ...report['settings'] }
    const whole = await imago(['pds', 'verify'], { env: ourEnv })
    assert.equal(whole.code, 0, whole.stdout + whole.stderr)

    let since: { session: AtpSessionData; frank: AtpSessionData; root: string; seq: number; blob: string }
    {
      await using ours = await startOurPds({ folder, plcUrl: plc.url, env: ourEnv })
      since = await goOn(ours, past, roots, report['sequence'])
    }

    const handed = await imagoJson('hand-back', folder)
    assert.equal(handed.code, 0, JSON.stringify(handed.report))
    const { changed, created, removed, failed, lost } = handed.report
    assert.deepEqual(
      { changed, created, removed, failed, lost },
      { changed: 2, created: 1, removed: 1, failed: [], lost: [] },
    )
    await assert.rejects(startOurPds({ folder, plcUrl: plc.url, env: ourEnv }), /handed back/)
    {
      await using reference = await startReferencePds({ folder, plcUrl: plc.url, env })
      await goOnThere(reference, past, since)
    }

    const again = await imagoJson('adopt', folder)
    assert.equal(again.code, 0, JSON.stringify(again.report))
    assert.equal(again.report['adopted'], 5)
    assert.ok(again.report['sequence'] > since.seq)
    const verifiedAgain = await imagoJson('adopt', folder, '--verify')
    assert.equal(verifiedAgain.report['same'], 5, JSON.stringify(verifiedAgain))
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** People go on with ours, by the sessions that they have. */
async function goOn(ours: TestService, past: Past, roots: Record<string, string>, sequence: number) {
  const { dids } = past
  const did = dids.alice
  assert.equal(await rootOf(ours.url, did), roots['alice'], 'the very same commit')
  assert.equal(await rootOf(ours.url, dids.erin), roots['erin'])

  const alice = new AtpAgent({ service: ours.url })
  await alice.resumeSession({ ...past.session })
  const { data: session } = await alice.com.atproto.server.getSession()
  assert.deepEqual([session.did, session.email, session.active], [did, 'alice@example.com', true])
  const stream = collectStream(ours.url, 0)
  const { data: written } = await alice.com.atproto.repo.createRecord({
    repo: did,
    collection: NOTE,
    rkey: 'from-ours',
    record: { $type: NOTE, n: -1 },
  })
  assert.ok(written.commit)
  await alice.com.atproto.repo.deleteRecord({ repo: did, collection: NOTE, rkey: 'note-8' })

  // The stream goes on: the reference's events under their numbers, then ours.
  const events = await until('the write on the stream', () =>
    stream.events.some(({ rev }) => rev === written.commit!.rev) ? stream.events : undefined,
  )
  assert.ok(
    events.some((event) => event.seq <= sequence && event.did === did),
    'replays what came before',
  )
  assert.equal(events.find(({ rev }) => rev === written.commit!.rev)!.seq, sequence + 1)
  stream.close()

  const refresh = async (jwt: string) => {
    const response = await fetch(`${ours.url}/xrpc/com.atproto.server.refreshSession`, {
      method: 'POST',
      headers: { authorization: `Bearer ${jwt}` },
    })
    return { status: response.status, body: (await response.json()) as { refreshJwt: string } }
  }
  const jti = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString()).jti
  const grace = await refresh(past.usedRefreshJwt)
  assert.equal(grace.status, 200, JSON.stringify(grace.body))
  assert.equal(jti(grace.body.refreshJwt), jti(past.session.refreshJwt), 'the successor that it had')
  const next = await refresh(past.session.refreshJwt)
  assert.equal(next.status, 200)
  assert.equal(jti((await refresh(past.session.refreshJwt)).body.refreshJwt), jti(next.body.refreshJwt))

  // App passwords open what they opened, and not more.
  for (const app of [new AtpAgent({ service: ours.url }), new AtpAgent({ service: ours.url })].entries()) {
    const [index, agent] = app
    if (index === 0) await agent.resumeSession({ ...past.appSession })
    else await agent.login({ identifier: 'alice.test', password: past.appPassword })
    await agent.sessionManager.refreshSession()
    assert.equal((await agent.com.atproto.server.getSession()).data.email, undefined)
    await agent.com.atproto.repo.createRecord({
      repo: did,
      collection: NOTE,
      record: { $type: NOTE, n: index },
    })
    await assert.rejects(agent.com.atproto.server.deactivateAccount({}), {
      status: 400,
      error: 'InvalidToken',
    })
  }
  await new AtpAgent({ service: ours.url }).login({ identifier: 'alice@example.com', password: PASSWORD })
  await assert.rejects(
    new AtpAgent({ service: ours.url }).login({ identifier: 'alice.test', password: 'wrong' }),
    {
      status: 401,
    },
  )

  const read = await alice.com.atproto.sync.getBlob({ did, cid: past.blob.cid })
  assert.deepEqual(new Uint8Array(read.data), past.blob.bytes)
  await assert.rejects(alice.com.atproto.sync.getBlob({ did: dids.dave, cid: past.takenDownBlob }), {
    status: 400,
  })

  const bob = new AtpAgent({ service: ours.url })
  await bob.resumeSession({ ...past.bobSession })
  assert.equal((await bob.com.atproto.server.getSession()).data.status, 'deactivated')
  await bob.com.atproto.server.activateAccount()
  await assert.rejects(
    new AtpAgent({ service: ours.url }).login({ identifier: 'carol.test', password: PASSWORD }),
    { status: 401, error: 'AccountTakedown' },
  )
  const { data: status } = await alice.com.atproto.sync.getRepoStatus({ did: dids.carol })
  assert.deepEqual([status.active, status.status], [false, 'takendown'])

  await alice.com.atproto.admin.deleteAccount({ did: dids.erin }, adminHeaders(ours))
  const frank = await signUp(ours.url, 'frank')
  const { data: upload } = await frank.uploadBlob(noise(2000, 17), { encoding: 'image/png' })
  await frank.post({
    text: 'new here',
    embed: { $type: 'app.bsky.embed.images', images: [{ image: upload.blob, alt: 'noise' }] },
  })
  const all = collectStream(ours.url, 0)
  const last = await rootOf(ours.url, frank.session!.did)
  assert.ok(last)
  const { data: head } = await frank.com.atproto.sync.getLatestCommit({ did: frank.session!.did })
  const seq = await until('the last event', () => all.events.find(({ rev }) => rev === head.rev)?.seq)
  all.close()
  return {
    session: { ...alice.session! },
    frank: { ...frank.session! },
    root: await rootOf(ours.url, did),
    seq,
    blob: upload.blob.ref.toString(),
  }
}

/** And with the reference again, by the sessions that ours gave. */
async function goOnThere(
  reference: TestService,
  { dids, blob }: Past,
  since: { session: AtpSessionData; frank: AtpSessionData; root: string; seq: number; blob: string },
): Promise<void> {
  const did = dids.alice
  assert.equal(await rootOf(reference.url, did), since.root)
  const alice = new AtpAgent({ service: reference.url })
  await alice.resumeSession({ ...since.session })
  const get = (rkey: string) => alice.com.atproto.repo.getRecord({ repo: did, collection: NOTE, rkey })
  assert.deepEqual((await get('from-ours')).data.value, { $type: NOTE, n: -1 })
  await assert.rejects(get('note-8'), { status: 400 })
  assert.deepEqual((await get('note-9')).data.value, { $type: NOTE, n: 9 })
  const read = await alice.com.atproto.sync.getBlob({ did, cid: blob.cid })
  assert.deepEqual(new Uint8Array(read.data), blob.bytes)
  const { data: preferences } = await alice.app.bsky.actor.getPreferences()
  assert.equal(preferences.preferences.length, 1)

  const frank = new AtpAgent({ service: reference.url })
  await frank.login({ identifier: 'frank.test', password: PASSWORD })
  assert.equal(frank.session!.did, since.frank.did)
  await frank.com.atproto.sync.getBlob({ did: since.frank.did, cid: since.blob })
  const stream = collectStream(reference.url, since.seq)
  for (const agent of [alice, frank])
    await agent.com.atproto.repo.createRecord({
      repo: agent.session!.did,
      collection: NOTE,
      rkey: 'back-home',
      record: { $type: NOTE, n: 1000 },
    })
  await until('both writes on the stream', () =>
    new Set(stream.events.map((event) => event.did)).size >= 2 ? true : undefined,
  )
  assert.ok(stream.events.every(({ seq }) => seq > since.seq))
  stream.close()
  await assert.rejects(alice.com.atproto.sync.getLatestCommit({ did: dids.erin }), { error: 'RepoNotFound' })
  const bob = await alice.com.atproto.sync.getRepoStatus({ did: dids.bob })
  assert.equal(bob.data.active, true)
}
