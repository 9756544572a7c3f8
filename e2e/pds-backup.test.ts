// A server is backed up while people write to it, lost, and restored beside a relay that has seen more than the backup.
// The commands are killed in the middle and run again.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { AtpAgent } from '@atproto/api'
import { infrastructureTest } from '@imago/sim/infrastructure'
import { signUp } from './accounts.ts'
import { type Finished, imago, pdsEnvironment } from './imago-command.ts'
import { startNetwork } from './network.ts'
import { collectStream } from './stream.ts'
import { until } from './until.ts'

const COLLECTION = 'com.example.note'
const strace = '/usr/bin/strace'

interface Acknowledged {
  readonly did: string
  readonly rkey: string
  readonly cid: string
}

interface Writer {
  readonly acknowledged: Acknowledged[]
  stop(): Promise<void>
}

/** Writes one record after the other until it is told to stop. */
function startWriter(agent: AtpAgent, did: string): Writer {
  const acknowledged: Acknowledged[] = []
  let stopped = false
  const writing = (async () => {
    for (let n = 0; !stopped; n++) {
      const { data } = await agent.com.atproto.repo.createRecord({
        repo: did,
        collection: COLLECTION,
        record: { $type: COLLECTION, n, text: 'x'.repeat(300) },
      })
      acknowledged.push({ did, rkey: data.uri.split('/').at(-1)!, cid: data.cid })
    }
  })()
  return {
    acknowledged,
    stop() {
      stopped = true
      return writing
    },
  }
}

const cidOf = async (reader: AtpAgent, { did, rkey }: Acknowledged) =>
  reader.com.atproto.repo
    .getRecord({ repo: did, collection: COLLECTION, rkey })
    .then(({ data }) => data.cid)
    .catch(() => undefined)

test('a server that is backed up under load, lost and restored goes on, and the relay follows', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-backup-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const passphraseFile = join(folder, 'passphrase')
  writeFileSync(passphraseFile, 'correct horse battery staple\n')
  const place = join(folder, 'backups')
  const protection = ['--passphrase-file', passphraseFile]
  const data = join(folder, 'network')

  const beforeBackup: Acknowledged[] = []
  const blob = crypto.getRandomValues(new Uint8Array(60_000))
  let lastSeq: number
  let lastRev: string
  let lost: Acknowledged
  let env: NodeJS.ProcessEnv
  let accounts: { agent: AtpAgent; did: string }[]
  {
    await using network = await startNetwork({ folder: data })
    env = pdsEnvironment(data, Number(new URL(network.pds).port))
    accounts = await Promise.all(Array.from({ length: 4 }, () => signUp(network.pds, 'backup')))
    const [{ agent, did }] = accounts as [(typeof accounts)[0]]
    const { data: upload } = await agent.com.atproto.repo.uploadBlob(blob, { encoding: 'image/png' })
    await agent.com.atproto.repo.putRecord({
      repo: did,
      collection: COLLECTION,
      rkey: 'with-blob',
      record: { $type: COLLECTION, blob: upload.blob.toJSON?.() ?? upload.blob },
    })
    const writers = accounts.map((account) => startWriter(account.agent, account.did))
    await until(
      'some writes',
      () => writers.every(({ acknowledged }) => acknowledged.length > 20) || undefined,
    )

    beforeBackup.push(...writers.flatMap(({ acknowledged }) => acknowledged))
    const first = await imago(['pds', 'backup', '--to', place, ...protection, '--verify', '--json'], { env })
    assert.equal(first.code, 0, first.stderr + first.stdout)
    const report = JSON.parse(first.stdout)
    assert.deepEqual([report.accounts, report.blobs, report.findings], [4, 1, []])
    const during = writers.flatMap(({ acknowledged }) => acknowledged).length
    assert.ok(during > beforeBackup.length, 'there were writes while the backup was being made')

    // The second one finds most of it there.
    await Promise.all(writers.map((writer) => writer.stop()))
    beforeBackup.push(...writers.flatMap(({ acknowledged }) => acknowledged))
    const second = await imago(['pds', 'backup', '--to', place, ...protection, '--keep', '5', '--json'], {
      env,
    })
    assert.equal(second.code, 0, second.stderr)
    const again = await imago(['pds', 'backup', '--to', place, ...protection, '--json'], { env })
    const third = JSON.parse(again.stdout)
    assert.ok(third.sentBytes < 3000, `nothing changed, and ${third.sentBytes} bytes were sent`)
    // The first was tried whole, the last as far as anything was new.
    assert.deepEqual(
      [report.test.fetchedChunks, report.test.checkedAccounts, report.test.readBlobs],
      [report.test.chunks, 4, 1],
    )
    assert.deepEqual([third.test.checkedAccounts, third.test.readBlobs, third.findings], [0, 1, []])
    const untried = await imago(['pds', 'backup', '--to', place, ...protection, '--no-verify', '--json'], {
      env,
    })
    assert.equal(JSON.parse(untried.stdout).test, undefined)

    // What the network sees after the backup, and the backup does not have.
    const { data: written } = await agent.com.atproto.repo.createRecord({
      repo: did,
      collection: COLLECTION,
      record: { $type: COLLECTION, lost: true },
    })
    lost = { did, rkey: written.uri.split('/').at(-1)!, cid: written.cid }
    lastRev = written.commit!.rev
    const stream = collectStream(network.relay, 0)
    await until('the relay to have seen it', () => stream.events.find(({ rev }) => rev === lastRev))
    stream.close()
    const own = collectStream(network.pds, 0)
    lastSeq = (await until('the last event', () => own.events.find(({ rev }) => rev === lastRev))).seq
    own.close()
    await network.kill('SIGKILL')
  }

  const wrong = join(folder, 'wrong')
  writeFileSync(wrong, 'another passphrase')
  const refused = await imago([
    'pds',
    'restore',
    '--from',
    place,
    '--passphrase-file',
    wrong,
    '--to',
    join(folder, 'no'),
  ])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /this passphrase does not open the repository/)
  const list = await imago(['pds', 'backups', '--from', place, ...protection, '--json'])
  assert.equal(JSON.parse(list.stdout).length, 4)

  const target = join(folder, 'restored')
  const restored = await imago(['pds', 'restore', '--from', place, ...protection, '--to', target, '--json'])
  assert.equal(restored.code, 0, restored.stderr + restored.stdout)
  assert.deepEqual(JSON.parse(restored.stdout).findings, [])
  const full = await imago(['pds', 'restore', '--from', place, ...protection, '--to', target])
  assert.equal(full.code, 2)
  assert.match(full.stderr, /is not empty/)
  rmSync(join(data, 'pds'), { recursive: true })
  renameSync(target, join(data, 'pds'))

  await using network = await startNetwork({ folder: data })
  const reader = new AtpAgent({ service: network.pds })
  for (const record of beforeBackup)
    assert.equal(await cidOf(reader, record), record.cid, `${record.did} ${record.rkey}`)
  assert.equal(await cidOf(reader, lost), undefined)
  const [{ did }] = accounts as [(typeof accounts)[0]]
  const { data: listed } = await reader.com.atproto.sync.listBlobs({ did })
  const { data: bytes } = await reader.com.atproto.sync.getBlob({ did, cid: listed.cids[0]! })
  assert.deepEqual(Buffer.from(bytes), Buffer.from(blob))

  // A relay that had read up to the last event hears of every account again, and then of what is new.
  const own = collectStream(network.pds, lastSeq)
  await until(
    'everybody to be announced anew',
    () =>
      accounts.every(({ did }) => own.events.some((event) => event.type === '#sync' && event.did === did)) ||
      undefined,
  )
  assert.ok(own.events.every(({ seq, rev }) => seq > lastSeq && (rev === undefined || rev > lastRev)))
  own.close()
  const relayed = collectStream(network.relay, 0)
  const { agent } = await signIn(network.pds, accounts[0]!.agent)
  const { data: next } = await agent.com.atproto.repo.createRecord({
    repo: did,
    collection: COLLECTION,
    record: { $type: COLLECTION, after: true },
  })
  await until('the relay to pass on a write after the restore', () =>
    relayed.events.find(({ rev }) => rev === next.commit!.rev),
  )
  relayed.close()
  const latest = (service: string) =>
    new AtpAgent({ service }).com.atproto.sync.getLatestCommit({ did }).then(({ data }) => data.rev)
  assert.equal(await latest(network.relay), await latest(network.pds))
})

/** Sessions do not survive a restore. */
async function signIn(service: string, earlier: AtpAgent): Promise<{ agent: AtpAgent }> {
  await assert.rejects(
    earlier.com.atproto.server.refreshSession(undefined, {
      headers: { authorization: `Bearer ${earlier.session!.refreshJwt}` },
    }),
  )
  const agent = new AtpAgent({ service })
  await agent.login({ identifier: earlier.session!.handle, password: 'correct horse' })
  return { agent }
}

/** strace ends as what it ran: by the same signal, or where a shell stands between them with its number. */
const wasKilled = ({ code, signal }: Finished) => signal === 'SIGKILL' || code === 128 + 9

infrastructureTest(
  'backup and restore are killed at an fsync, and the next run ends what was begun',
  existsSync(strace) ? undefined : `${strace} is not installed`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'imago-backup-kill-'))
    try {
      const data = join(folder, 'network')
      let env: NodeJS.ProcessEnv
      {
        await using network = await startNetwork({ folder: data })
        env = {
          ...pdsEnvironment(data, Number(new URL(network.pds).port)),
          BACKUP_PASSPHRASE: 'correct horse battery',
        }
        const { agent, did } = await signUp(network.pds, 'killed')
        const writer = startWriter(agent, did)
        await until('some writes', () => writer.acknowledged.length > 50 || undefined)
        await writer.stop()
      }
      const killAt = (n: number) => [
        strace,
        '-f',
        '-qq',
        '-o',
        '/dev/null',
        '-e',
        'trace=fsync',
        '-e',
        `inject=fsync:signal=SIGKILL:when=${n}`,
      ]
      // Each in a place of its own: what is there already would leave less to do, and fewer points.
      for (const n of [1, 6, 12]) {
        const place = join(folder, `backups-${n}`)
        const killed = await imago(['pds', 'backup', '--to', place], { env, wrapper: killAt(n) })
        assert.ok(wasKilled(killed), `backup was killed at fsync ${n}: ${killed.stderr}`)
        const next = await imago(['pds', 'backup', '--to', place, '--keep', '1', '--json'], { env })
        assert.equal(next.code, 0, next.stderr)
        assert.equal(
          JSON.parse(next.stdout).swept.postponed,
          false,
          'the lease of the dead is in nobody’s way',
        )
      }

      const place = join(folder, 'backups-12')
      for (const n of [1, 4]) {
        const target = join(folder, `restored-${n}`)
        const restore = ['pds', 'restore', '--from', place, '--to', target, '--json']
        const killed = await imago(restore, { env, wrapper: killAt(n) })
        assert.ok(wasKilled(killed), `restore was killed at fsync ${n}: ${killed.stderr}`)
        const next = await imago(restore, { env })
        assert.equal(next.code, 0, next.stderr)
        assert.deepEqual(JSON.parse(next.stdout).findings, [])
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
