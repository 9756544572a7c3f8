// goat, the Go command-line client, judges our streams, exports and directory by the Go implementation of the protocol. It
// comes from no package registry, so the tests run where it is on the PATH, and skip elsewhere.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { signUp } from './accounts.ts'
import { type Network, startNetwork } from './network.ts'
import { startService } from './plc-process.ts'
import { until } from './until.ts'

const skip = hasGoat() ? false : 'goat is not on the PATH'

let network: Network
before(async () => {
  if (!skip) network = await startNetwork()
})
after(() => network?.[Symbol.asyncDispose]())

function hasGoat(): boolean {
  try {
    execFileSync('goat', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const environment = () => ({ ...process.env, ATP_PLC_HOST: network.plc, ATP_RELAY_HOST: network.relay })
const goat = (...args: string[]) =>
  execFileSync('goat', args, { encoding: 'utf8', cwd: network.folder, env: environment() })

/** Lines that `goat firehose` prints with every verification on, until one satisfies `isLast`. */
async function firehose(service: string, isLast: (line: string) => boolean): Promise<string[]> {
  const lines: string[] = []
  const host = service.replace('http', 'ws')
  const child = spawn(
    'goat',
    [
      'firehose',
      '--relay-host',
      host,
      '--cursor',
      '0',
      '--verify-basic',
      '--verify-sig',
      '--verify-mst',
      '--ops',
    ],
    { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] },
  )
  try {
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', (line) => lines.push(line))
    await until('the last operation', () => lines.find(isLast))
    return lines
  } finally {
    child.kill('SIGTERM')
  }
}

test('goat verifies structure, signature and tree of every event of PDS and relay', { skip }, async () => {
  const { agent, did } = await signUp(network.pds)
  const first = await agent.post({ text: 'first' })
  for (let i = 0; i < 20; i++) await agent.post({ text: `post ${i}` })
  await agent.deletePost(first.uri)
  const rkey = first.uri.split('/').at(-1)!
  for (const service of [network.pds, network.relay]) {
    const lines = await firehose(service, (line) => line.includes('"delete"') && line.includes(rkey))
    const events = lines.filter((line) => line.startsWith('{"')).map((line) => JSON.parse(line))
    assert.equal(events.filter(({ action }) => action === 'create').length, 21)
    assert.deepEqual(
      lines.filter((line) => /error|warn|fail|invalid/i.test(line.slice(0, 60))),
      [],
    )
  }
  assert.match(goat('relay', 'account', 'status', '--relay-host', network.relay, did), /active/)
  assert.match(goat('relay', 'host', 'list', '--relay-host', network.relay), /localhost:\d+\tactive/)
})

test('goat exports and reads a repository', { skip }, async () => {
  const { agent, did } = await signUp(network.pds)
  const { uri, cid } = await agent.post({ text: 'exported' })
  goat('repo', 'export', did)
  const car = readdirSync(network.folder).find((name) => name.startsWith(did) && name.endsWith('.car'))!
  assert.match(goat('repo', 'inspect', join(network.folder, car)), new RegExp(did))
  assert.ok(
    goat('repo', 'ls', join(network.folder, car)).includes(`${uri.split('/').slice(3).join('/')}\t${cid}`),
  )
  assert.match(goat('plc', 'data', did), /did:key:zQ3s/)
})

interface GoatOperation {
  readonly type: string
  readonly prev: string | null
  readonly rotationKeys: readonly string[]
  readonly alsoKnownAs: readonly string[]
  readonly services: Readonly<Record<string, { readonly endpoint: string }>>
}

test('[PLC-40] goat makes an identity in our directory, changes it, takes it back from a thief, and dumps it', {
  skip,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-goat-'))
  try {
    await using directory = await startService('plc', { PLC_DATABASE_FILE: join(folder, 'plc.sqlite') })
    const run = (...args: string[]) =>
      execFileSync('goat', args, { encoding: 'utf8', cwd: folder, stdio: 'pipe' })
    const plc = (...args: string[]) => run('plc', '--plc-host', directory.url, ...args)
    const newKey = (type: string) => {
      const secret = run('key', 'generate', '--terse', '--type', type).trim()
      const didKey = /did:key:\w+/.exec(run('key', 'inspect', secret))![0]
      return { secret, didKey }
    }
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text)
      return name
    }
    /** Signs by what the key is to goat, and submits. @returns what it said. */
    const submit = (operation: string, { secret }: { secret: string }, ...whose: string[]) => {
      const signed = plc('sign', '--plc-signing-key', secret, write('unsigned.json', operation))
      return plc('submit', ...whose, write('signed.json', signed))
    }
    const history = (did: string) =>
      JSON.parse(`[${plc('history', did).replaceAll('\n}\n{', '\n},\n{')}]`) as GoatOperation[]
    const audit = async (did: string) =>
      (await (await fetch(`${directory.url}/${did}/log/audit`)).json()) as {
        cid: string
        nullified: boolean
      }[]

    const [user, host, signing] = [newKey('k256'), newKey('p256'), newKey('k256')]
    const keys = ['--rotation-key', user.didKey, '--rotation-key', host.didKey]
    const genesis = plc(
      ...['genesis', '--handle', 'goat.test', ...keys],
      ...['--atproto-key', signing.didKey, '--pds', 'https://pds.test'],
    )
    assert.match(submit(genesis, host, '--genesis'), /success/)
    const did = plc('calc-did', 'signed.json').trim()
    assert.deepEqual(JSON.parse(plc('data', did)), {
      did,
      verificationMethods: { atproto: signing.didKey },
      rotationKeys: [user.didKey, host.didKey],
      alsoKnownAs: ['at://goat.test'],
      services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://pds.test' } },
    })

    const moved = plc('update', '--handle', 'moved.test', '--pds', 'https://other.test', did)
    assert.match(submit(moved, host, '--did', did), /success/)
    const before = (await audit(did)).at(-1)!.cid
    const thief = newKey('p256')
    const theft = plc(
      ...['update', '--add-rotation-key', thief.didKey, '--remove-rotation-key', user.didKey, did],
    )
    assert.match(submit(theft, host, '--did', did), /success/)
    assert.deepEqual(JSON.parse(plc('data', did)).rotationKeys, [thief.didKey, host.didKey])
    assert.throws(
      () => submit(plc('update', '--handle', 'late.test', did), user, '--did', did),
      /HTTP status: 400/,
    )
    const rescue = plc('update', '--prev', before, '--remove-rotation-key', host.didKey, did)
    assert.match(submit(rescue, user, '--did', did), /success/)

    const operations = history(did)
    assert.deepEqual(
      operations.map(({ alsoKnownAs, rotationKeys }) => [alsoKnownAs[0], rotationKeys.length]),
      [
        ['at://goat.test', 2],
        ['at://moved.test', 2],
        ['at://moved.test', 1],
      ],
    )
    assert.deepEqual(
      (await audit(did)).map(({ nullified }) => nullified),
      [false, false, true, false],
    )
    const dumped = plc('dump', '--batch-size', '2')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { cid: string })
    assert.deepEqual(
      dumped.map(({ cid }) => cid),
      (await audit(did)).map(({ cid }) => cid),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
