import { execFile, spawn } from 'node:child_process'
import { chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { Client, escapeIdentifier } from 'pg'

/**
 * A PostgreSQL server of one's own, on a free port of the loopback interface, forgotten when it is disposed of. It
 * trusts everybody, and waits for no disk.
 */
export interface PostgresTestServer extends AsyncDisposable {
  readonly pid: number
  /** Makes an empty database with this name. Resolves with its address. */
  createDatabase(name: string): Promise<string>
}

/** Who runs the server: it refuses to run as root. */
interface Runner {
  readonly uid: number
  readonly gid: number
}

/** Where Debian keeps the programs of each version, which it leaves off the path. */
const DEBIAN = '/usr/lib/postgresql/*/bin'

const PROGRAMS = ['initdb', 'postgres']

function findPrograms(): string | undefined {
  const folders = [...globSync(DEBIAN).sort().reverse(), ...(process.env['PATH'] ?? '').split(delimiter)]
  return folders.find((folder) => PROGRAMS.every((program) => existsSync(join(folder, program))))
}

/** What is absent for a server to run here, in the words of a test that is left out; `undefined` for nothing. */
export function missingPostgres(): string | undefined {
  if (findPrograms() === undefined) return 'PostgreSQL (initdb, postgres) is not installed'
  if (process.getuid?.() === 0 && findRunner() === undefined)
    return 'root may not run PostgreSQL, and there is no user `postgres`'
}

function findRunner(): Runner | undefined {
  const line = readFileSync('/etc/passwd', 'utf8').match(/^postgres:[^:]*:(\d+):(\d+):/m)
  return line === null ? undefined : { uid: Number(line[1]), gid: Number(line[2]) }
}

/** Runs a server that does not outlive its parent, however that ends; SIGINT closes its sessions, then itself. */
const UNTIL_INPUT_ENDS = '"$@" <&- & read -r _; kill -INT $!; wait $!'

/** @throws {Error} with what the programs said, when the server does not come up. */
export async function startPostgresTestServer(): Promise<PostgresTestServer> {
  const programs = findPrograms()
  if (programs === undefined) throw new Error(missingPostgres())
  const folder = mkdtempSync(join(tmpdir(), 'imago-postgres-'))
  const runner = process.getuid?.() === 0 ? findRunner() : undefined
  if (runner !== undefined) chownSync(folder, runner.uid, runner.gid)
  const data = join(folder, 'data')
  const options = { ...runner, cwd: folder, env: { PATH: process.env['PATH'], LC_ALL: 'C' } }

  await promisify(execFile)(
    join(programs, 'initdb'),
    [
      ...['--pgdata', data, '--username=imago', '--auth=trust'],
      ...['--encoding=UTF8', '--no-locale', '--no-sync'],
    ],
    options,
  )
  const port = await freePort()
  const server = spawn(
    '/bin/sh',
    [
      ...['-c', UNTIL_INPUT_ENDS, 'sh', join(programs, 'postgres'), '-D', data, '-p', String(port)],
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'],
    ],
    { ...options, stdio: ['pipe', 'ignore', 'pipe'] },
  )
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  const said: string[] = []
  await new Promise<void>((resolve, reject) => {
    createInterface(server.stderr).on('line', (line) => {
      said.push(line)
      if (line.includes('ready to accept connections')) resolve()
    })
    server.once('exit', (code) => reject(new Error(`postgres ended with ${code}: ${said.join('\n')}`)))
  })
  const address = (database: string) => `postgres://imago@127.0.0.1:${port}/${database}`
  const administrator = new Client({ connectionString: address('postgres') })
  await administrator.connect()
  return {
    pid: server.pid!,
    async createDatabase(name) {
      await administrator.query(`CREATE DATABASE ${escapeIdentifier(name)}`)
      return address(name)
    },
    async [Symbol.asyncDispose]() {
      await administrator.end()
      server.stdin.end()
      await exited
      rmSync(folder, { recursive: true })
    },
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}
