import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Peers } from './peers.ts'
import { freePort, type ServerProcess, startServer } from './server-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** The server has a core for itself; whatever loads it, and the directory, share the other. */
export const SERVER_CORE = 1
export const LOAD_CORE = 0

/** As large as the reference's distribution allows. */
export const BLOB_LIMIT_BYTES = 314_572_800

/** A server in a process of its own. */
export interface Running extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Its data directory, which outlives it. */
  readonly folder: string
  /** From the start of the process until it answered. */
  readonly readyAfterMs: number
}

const running = (url: string, folder: string, server: ServerProcess): Running => ({
  url,
  folder,
  pid: server.pid,
  readyAfterMs: server.readyAfterMs,
  [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
})

/** The directory that both servers register their accounts with. */
export async function startPlc(folder: string): Promise<Running> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const server = await startServer({
    command: [process.execPath, join(root, 'services/plc/src/main.ts')],
    env: {
      PLC_PORT: String(port),
      PLC_DATABASE_FILE: join(folder, 'plc.sqlite'),
      PLC_LOG_LEVEL: 'warn',
      // Two servers at one address make hundreds of accounts.
      PLC_ADDRESS_LIMIT: '1000000',
    },
    core: LOAD_CORE,
    ready: { url: `${url}/_health` },
  })
  return running(url, folder, server)
}

/** Names and meanings of our settings are the reference's: both get the same environment. */
function environment(port: number, folder: string, plcUrl: string): Record<string, string> {
  mkdirSync(folder, { recursive: true })
  return {
    PDS_HOSTNAME: 'localhost',
    PDS_PORT: String(port),
    PDS_DATA_DIRECTORY: folder,
    PDS_BLOBSTORE_DISK_LOCATION: join(folder, 'blobs'),
    PDS_BLOB_UPLOAD_LIMIT: String(BLOB_LIMIT_BYTES),
    PDS_DID_PLC_URL: plcUrl,
    PDS_JWT_SECRET: JWT_SECRET,
    PDS_ADMIN_PASSWORD: randomBytes(16).toString('hex'),
    PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: randomBytes(32).toString('hex'),
    PDS_INVITE_REQUIRED: 'false',
  }
}

/** Nobody else reaches these servers, and some loads make their own sessions. */
export const JWT_SECRET = 'the secret of a server that lives for one benchmark'

/**
 * Our PDS, on what the folder holds. It runs as docs say to run it: with a cache of compiled code, which the first start
 * fills. Without one, Node keeps the compiler of TypeScript in memory.
 */
export async function startOurs(folder: string, plcUrl: string): Promise<Running> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const server = await startServer({
    command: [process.execPath, join(root, 'services/pds/src/main.ts')],
    env: {
      ...environment(port, folder, plcUrl),
      NODE_COMPILE_CACHE: join(root, 'out/compile-cache'),
      LOG_LEVEL: 'warn',
    },
    core: SERVER_CORE,
    ready: { url: `${url}/xrpc/_health` },
  })
  return running(url, folder, server)
}

/** The reference PDS, without the limits that would be measured instead of it. */
export async function startReference(folder: string, plcUrl: string, peers: Peers): Promise<Running> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const server = await startServer({
    command: [process.execPath, join(root, 'bench/reference-pds.ts'), peers.entry],
    env: {
      ...environment(port, folder, plcUrl),
      PDS_DEV_MODE: 'true',
      PDS_DISABLE_SSRF_PROTECTION: 'true',
      PDS_RATE_LIMITS_ENABLED: 'false',
      PDS_MAX_REPO_IMPORT_SIZE: String(BLOB_LIMIT_BYTES),
      LOG_ENABLED: 'false',
    },
    core: SERVER_CORE,
    ready: { url: `${url}/xrpc/_health` },
  })
  return running(url, folder, server)
}
