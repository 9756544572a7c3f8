import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type PostgresTestServer, startPostgresTestServer } from '@imago/sim/postgres-server'
import type { Running } from './pds-servers.ts'
import { SERVER_CORE } from './pds-servers.ts'
import type { Peers } from './peers.ts'
import { freePort, processorSeconds, startServer } from './server-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A directory in processes of its own. */
export interface Directory extends Running {
  /** Processor time that it has used so far, that of its database included. */
  processorSeconds(): number
}

/** As services/plc/README.md says: a third of the memory, at the same speed. */
const SMALL_YOUNG_GENERATION = '--max-semi-space-size=8'

/** Ours, with a transparency log, on what the folder holds; without the limits that would be measured instead of it. */
export async function startOurDirectory(folder: string): Promise<Directory> {
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const server = await startServer({
    command: [process.execPath, SMALL_YOUNG_GENERATION, join(root, 'services/plc/src/main.ts')],
    env: {
      PLC_PORT: String(port),
      PLC_DATABASE_FILE: join(folder, 'plc.sqlite'),
      PLC_LOG_ORIGIN: 'bench.example/log',
      PLC_ADDRESS_LIMIT: String(Number.MAX_SAFE_INTEGER),
      PLC_LOG_LEVEL: 'warn',
      NODE_COMPILE_CACHE: join(root, 'out/compile-cache'),
    },
    core: SERVER_CORE,
    ready: { url: `${url}/_health` },
  })
  return {
    url,
    folder,
    pid: server.pid,
    readyAfterMs: server.readyAfterMs,
    processorSeconds: () => processorSeconds(server.pid),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** The reference and its PostgreSQL, which share the server's core. */
export async function startReferenceDirectory(folder: string, peers: Peers): Promise<Directory> {
  const database = await startPostgresTestServer()
  try {
    return await startOn(database, folder, peers)
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw error
  }
}

async function startOn(database: PostgresTestServer, folder: string, peers: Peers): Promise<Directory> {
  // What it starts for each connection stays on the same core.
  spawnSync('taskset', ['-a', '-c', '-p', String(SERVER_CORE), String(database.pid)])
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const server = await startServer({
    command: [process.execPath, join(root, 'bench/reference-plc.ts'), peers.entry],
    env: {
      PLC_DATABASE_URL: await database.createDatabase('plc'),
      PLC_PORT: String(port),
      LOG_ENABLED: 'false',
      NODE_ENV: 'production',
    },
    core: SERVER_CORE,
    ready: { url: `${url}/_health` },
  })
  return {
    url,
    folder,
    pid: server.pid,
    readyAfterMs: server.readyAfterMs,
    processorSeconds: () => processorSeconds(server.pid) + processorSeconds(database.pid),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}
