// goat, the Go command-line client, judges our streams and exports by the Go implementation of the protocol. It comes
// from no package registry, so the tests run where it is on the PATH, and skip elsewhere.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { signUp } from './accounts.ts'
import { type Network, startNetwork } from './network.ts'
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
