import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { EXIT } from './cli-error.ts'
import { runCommandLine } from './command-line.ts'
import { SERVICES } from './services.ts'
import { VERSION } from './version.ts'

async function run(...args: string[]) {
  let out = ''
  let err = ''
  const exitCode = await runCommandLine(args, {
    writeOut: (text) => {
      out += text
    },
    writeErr: (text) => {
      err += text
    },
  })
  return { exitCode, out, err }
}

test('--version prints the version', async () => {
  assert.deepEqual(await run('--version'), { exitCode: EXIT.ok, out: `${VERSION}\n`, err: '' })
})

test('--help names every command and the exit codes', async () => {
  const { exitCode, out } = await run('--help')
  assert.equal(exitCode, EXIT.ok)
  for (const name of ['up', ...Object.keys(SERVICES)]) assert.match(out, new RegExp(`^ {2}${name}\\b`, 'm'))
  assert.match(out, /Exit codes: 0 .*3 imago up: a port is in use/)
})

test('a command line that is wrong exits with 2, and says what is wrong', async () => {
  const cases: [args: string[], expected: RegExp][] = [
    [['upp'], /unknown command 'upp'\n\(Did you mean up\?\)/],
    [['up', '--port-offset', '-1'], /'--port-offset <n>' argument '-1' is invalid. Expected a whole number/],
    [['up', '--port-offset', '60000'], /'60000' is invalid/],
    [['up', '--frsh'], /unknown option '--frsh'\n\(Did you mean --fresh\?\)/],
    [['plc', 'now'], /unknown command 'now' of imago plc\nRun imago plc --help for the commands\./],
    [['plc', 'config', 'now'], /too many arguments/],
    [['pds', 'verify', '--data-dir'], /Run imago pds verify --help for what it takes\./],
    [
      ['plc', 'history', 'did:plc:ewvi7nxzyoun6zhxrhs64oiz', '--directory', 'plc'],
      /Expected an address such as https/,
    ],
  ]
  for (const [args, expected] of cases) {
    const { exitCode, err } = await run(...args)
    assert.equal(exitCode, EXIT.usage, args.join(' '))
    assert.match(err, expected)
  }
})

test('every service has an entry point, and a table of settings', async () => {
  for (const [name, { settings }] of Object.entries(SERVICES)) {
    assert.ok(existsSync(fileURLToPath(import.meta.resolve(`@imago/${name}/main`))))
    assert.equal((await settings()).prefix, `${name.toUpperCase()}_`)
  }
})
