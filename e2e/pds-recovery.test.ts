// The commands of docs/operating/recovery.md, as an operator runs them, on the data of a server that did real work.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { signUp } from './accounts.ts'
import { startNetwork } from './network.ts'

const main = fileURLToPath(new URL('../cli/src/main.ts', import.meta.url))
const page = readFileSync(new URL('../docs/operating/recovery.md', import.meta.url), 'utf8')

/** Commands of the page, without the name of the program. */
const commands = [...page.matchAll(/```sh\n(.*?)```/gs)]
  .flatMap(([, lines]) => lines!.trim().split('\n'))
  .map((line) => line.split(' ').slice(1))

async function imago(args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await exited, out, err }
}

test('verify and rebuild, from the page that explains them', async () => {
  await using network = await startNetwork()
  const { agent, did } = await signUp(network.pds, 'recovery')
  const post = (n: number) =>
    agent.com.atproto.repo.createRecord({
      repo: did,
      collection: 'com.example.note',
      record: { $type: 'com.example.note', n },
    })
  for (let n = 0; n < 30; n++) await post(n)

  const data = join(network.folder, 'pds')
  const env = { PDS_DATA_DIRECTORY: data }
  const run = (args: readonly string[]) =>
    imago(
      args.map((arg) => (arg.startsWith('did:') ? did : arg)),
      env,
    )
  const [verify, quick, verifyOne, dryRun, rebuild, ...others] = commands
  assert.deepEqual(others, [])
  assert.ok(verify && quick && verifyOne && dryRun && rebuild)

  for (const command of [verify, quick])
    assert.deepEqual(await run(command), { code: 0, out: 'no errors\n', err: '' }, 'beside the server')
  const busy = await run(rebuild)
  assert.equal(busy.code, 2)
  assert.match(
    busy.err,
    new RegExp(`^${data} is in use by process ${network.process.pid} on .*: stop it first`),
  )

  await network.kill('SIGKILL')
  assert.equal((await run(verify)).code, 0, 'a server that was killed leaves nothing to mend')
  {
    using sqlite = new DatabaseSync(join(data, 'pds.sqlite'))
    const removed = sqlite
      .prepare('DELETE FROM node WHERE repo = (SELECT id FROM repo WHERE did = ?)')
      .run(did)
    assert.ok(removed.changes > 0)
  }
  const found = await run(verifyOne)
  assert.equal(found.code, 1)
  const lines = found.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ type, code, level, did }) => ({ type, code, level, did })),
    [
      { type: 'finding', code: 'node-missing', level: 'error', did },
      { type: 'summary', code: undefined, level: undefined, did: undefined },
    ],
  )
  assert.equal(lines[0].fix, `imago pds rebuild --did ${did}`)
  assert.match(
    (await run(verify)).out,
    new RegExp(`^error node-missing ${did}: .*\n {4}imago pds rebuild --did ${did}\n1 error\n$`),
  )

  const rehearsal = await run(dryRun)
  const mended = await run(rebuild)
  assert.deepEqual([rehearsal.code, mended.code], [0, 0])
  assert.match(mended.out, new RegExp(`^mended ${did}: \\d+ nodes of the tree were made again`))
  assert.equal(rehearsal.out, mended.out)
  assert.deepEqual(await run(rebuild), { code: 0, out: 'no errors\n', err: '' })
  assert.equal((await run(verify)).code, 0)

  const nowhere = await imago(['pds', 'verify', '--data', join(data, 'none')], {})
  assert.equal(nowhere.code, 2)
  assert.match(
    nowhere.err,
    /none\/pds\.sqlite does not exist: give the data directory of a PDS with --data\n/,
  )

  await using again = await startNetwork({ folder: network.folder })
  await agent.com.atproto.repo.createRecord({
    repo: did,
    collection: 'com.example.note',
    record: { $type: 'com.example.note', last: true },
  })
  assert.deepEqual(await run(verify), { code: 0, out: 'no errors\n', err: '' }, again.pds)
})
