// kill -9 in the middle of a takeover, and of handing back: run again, everything is there, and nothing twice.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AtpAgent } from '@atproto/api'
import { infrastructureTest } from '@imago/sim/infrastructure'
import { SAMPLE_ENVIRONMENT, writeSampleReference } from '../services/pds/test/reference-data.ts'
import { imago } from './imago-command.ts'
import { startOurPds } from './reference-pds.ts'

const missing =
  spawnSync('strace', ['-V']).status === 0
    ? undefined
    : 'strace is not on this machine: it kills at a chosen call'

/** What changes the disk for good, or gives it another name. */
const CALLS = 'fsync,fdatasync,link,linkat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat'
/** How many of all the calls to kill at, evenly spread: a number, or `all`. */
const { FAULT_POINTS = '3' } = process.env
const POINTS = FAULT_POINTS === 'all' ? Number.POSITIVE_INFINITY : Number(FAULT_POINTS)

/** What Node caches of our code is written now and then, and would count among the calls. */
const ENV = { NODE_DISABLE_COMPILE_CACHE: '1' }

const strace = (log: string, ...options: string[]) => ['strace', '-f', '-qq', '-o', log, ...options]

/** The n-th call of a kind. */
interface Point {
  readonly call: string
  readonly n: number
}

/** Every call of the thread that does the work, from the log of a whole run. */
function pointsOf(log: string): Point[] {
  const calls = [...readFileSync(log, 'utf8').matchAll(/^(\d+) +(\w+)\(/gm)].map(([, pid, call]) => ({
    pid,
    call: call!,
  }))
  const byThread = Map.groupBy(calls, ({ pid }) => pid)
  const busiest = [...byThread.values()].sort((a, b) => b.length - a.length)[0] ?? []
  const counts = new Map<string, number>()
  return busiest.map(({ call }) => {
    counts.set(call, (counts.get(call) ?? 0) + 1)
    return { call, n: counts.get(call)! }
  })
}

/**
 * Runs a command on a copy of what lies in `folder`: once whole, to see its calls, then killed at some of them and run
 * again.
 * @returns how often it was killed, and how many calls there are.
 */
async function killAndRunAgain(
  folder: string,
  args: string[],
  check: () => Promise<void>,
): Promise<{ kills: number; calls: number }> {
  const prepared = `${folder}.prepared`
  const log = `${folder}.trace`
  renameSync(folder, prepared)
  const begin = () => {
    rmSync(folder, { recursive: true, force: true })
    cpSync(prepared, folder, { recursive: true })
  }
  begin()
  const whole = await imago(args, { env: ENV, wrapper: strace(log, '-e', `trace=${CALLS}`) })
  assert.equal(whole.code, 0, whole.stderr)
  const all = pointsOf(log)
  const points = all.filter((_, i) => POINTS >= all.length || i % Math.ceil(all.length / POINTS) === 0)
  assert.ok(points.length >= 3, `${all.length} calls`)
  for (const { call, n } of points) {
    begin()
    const kill = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${n}`]
    const killed = await imago(args, { env: ENV, wrapper: strace('/dev/null', ...kill) })
    assert.ok(
      killed.signal === 'SIGKILL' || killed.code === 128 + 9,
      `killed at ${call} ${n}: ${killed.stderr}`,
    )
    const again = await imago(args)
    assert.equal(again.code, 0, `after a kill at ${call} ${n}: ${again.stderr}${again.stdout}`)
    await check()
  }
  return { kills: points.length, calls: all.length }
}

const rows = (path: string, sql: string) => {
  const sqlite = new DatabaseSync(path, { readOnly: true })
  try {
    return sqlite
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }))
  } finally {
    sqlite.close()
  }
}

async function assertSame(folder: string, accounts: number): Promise<void> {
  const { code, stdout, stderr } = await imago(['pds', 'adopt', folder, '--verify', '--json'])
  assert.equal(code, 0, stdout + stderr)
  assert.equal(JSON.parse(stdout).same, accounts)
  const database = join(folder, 'pds.sqlite')
  assert.deepEqual(rows(database, 'SELECT count(*) AS n FROM account'), [{ n: accounts }])
  assert.deepEqual(rows(database, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }])
}

/** A sample with its environment file. Nobody answers for DID documents: keys are compared with files only. */
function prepare(folder: string): Readonly<Record<string, string>> {
  writeSampleReference(folder, { accounts: ACCOUNTS, nowMs: Date.now() - 60_000 })
  const env = {
    ...SAMPLE_ENVIRONMENT,
    PDS_DID_PLC_URL: 'http://localhost:9',
    PDS_BLOBSTORE_DISK_LOCATION: join(folder, 'blocks'),
  }
  const lines = Object.entries(env).map((pair) => `${pair.join('=')}\n`)
  writeFileSync(join(folder, 'pds.env'), lines.join(''))
  return env
}

const ACCOUNTS = 4

infrastructureTest('kill -9 at any call of a takeover costs nothing but time', missing, async () => {
  const root = mkdtempSync(join(tmpdir(), 'imago-adopt-kill-'))
  try {
    const folder = join(root, 'pds')
    prepare(folder)
    const { kills, calls } = await killAndRunAgain(folder, ['pds', 'adopt', folder], async () => {
      await assertSame(folder, ACCOUNTS)
      const numbers = rows(join(folder, 'pds.sqlite'), 'SELECT seq FROM event ORDER BY seq')
      assert.deepEqual(
        numbers,
        Array.from({ length: ACCOUNTS }, (_, i) => ({ seq: i + 1 })),
      )
    })
    console.log(`# takeover: ${kills} kills at ${calls} calls`)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})

infrastructureTest('kill -9 at any call of handing back costs nothing but time', missing, async () => {
  const root = mkdtempSync(join(tmpdir(), 'imago-adopt-kill-'))
  try {
    const folder = join(root, 'pds')
    const env = prepare(folder)
    assert.equal((await imago(['pds', 'adopt', folder])).code, 0)
    {
      await using pds = await startOurPds({ folder, plcUrl: env['PDS_DID_PLC_URL']!, env })
      for (const user of [0, 1]) {
        const agent = new AtpAgent({ service: pds.url })
        await agent.login({ identifier: `user${user}.test`, password: `password of user${user}` })
        const { data } = await agent.uploadBlob(new Uint8Array(1000).fill(user), { encoding: 'image/png' })
        await agent.post({
          text: 'look',
          embed: { $type: 'app.bsky.embed.images', images: [{ image: data.blob, alt: 'nothing' }] },
        })
      }
    }
    const heads = () => rows(join(folder, 'pds.sqlite'), 'SELECT did, head, rev FROM repo ORDER BY did')
    const before = heads()
    const { kills, calls } = await killAndRunAgain(folder, ['pds', 'hand-back', folder], async () => {
      // Taken over anew, it is where it was.
      const { code, stdout } = await imago(['pds', 'adopt', folder])
      assert.equal(code, 0, stdout)
      await assertSame(folder, ACCOUNTS)
      assert.deepEqual(heads(), before)
    })
    console.log(`# handing back: ${kills} kills at ${calls} calls`)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
