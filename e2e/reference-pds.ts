// The reference PDS (`@atproto/pds` at the version that bench/peers.json pins) in a process of its own, for tests that
// move accounts and data between it and ours.
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { arePeersInstalled, installPeers, PeerUnavailableError } from '../bench/lib/peers.ts'
import { freePort, type ServerProcess, startServer } from '../bench/lib/server-process.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A service in a process of its own. */
export interface TestService extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Its data directory, which stays when the process is gone. */
  readonly folder: string
  /** The environment that it was started with: secrets, keys and the port, for who goes on with its data. */
  readonly env: Readonly<Record<string, string>>
}

export interface TestServiceOptions {
  /** Its data directory; made if absent. */
  readonly folder: string
  readonly plcUrl: string
  /** Goes before what is chosen here, and so also names the port and the keys of an earlier run. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * What tests that need the reference PDS lack here, for `infrastructureTest`; `undefined` when nothing. With
 * `REQUIRE_INFRA=1` it is installed first, which takes minutes where its SQLite has to be compiled.
 */
export async function missingReferencePds(): Promise<string | undefined> {
  if (arePeersInstalled('pds')) return undefined
  if (process.env['REQUIRE_INFRA'] !== '1')
    return 'the reference PDS is not installed (npm run bench -- pds does it)'
  try {
    await installPeers('pds', (text) => console.error(text))
    return undefined
  } catch (error) {
    if (error instanceof PeerUnavailableError) return error.message
    throw error
  }
}

/** Starts the reference PDS and waits until it answers. Its handles end in `.test`. */
export async function startReferencePds(options: TestServiceOptions): Promise<TestService> {
  const { entry } = await installPeers('pds', (text) => console.error(text))
  return startPds([join(root, 'bench/reference-pds.ts'), entry], options, {
    PDS_DEV_MODE: 'true',
    PDS_DISABLE_SSRF_PROTECTION: 'true',
    PDS_RATE_LIMITS_ENABLED: 'false',
    LOG_ENABLED: 'false',
  })
}

/** Starts our PDS alone, and waits until it answers: the same environment, so that data and keys can change hands. */
export async function startOurPds(options: TestServiceOptions): Promise<TestService> {
  return startPds([join(root, 'services/pds/src/main.ts')], options, { LOG_LEVEL: 'warn' })
}

/** Starts our PLC directory alone, and waits until it answers. */
export async function startPlc(folder: string): Promise<TestService> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const env = {
    PLC_PORT: String(port),
    PLC_DATABASE_FILE: join(folder, 'plc.sqlite'),
    PLC_LOG_LEVEL: 'warn',
  }
  const command = [process.execPath, join(root, 'services/plc/src/main.ts')] as const
  const server = await startServer({ command: [...command], env, ready: { url: `${url}/_health` } })
  return serviceOf(server, { url, folder, env })
}

async function startPds(
  script: readonly string[],
  { folder, plcUrl, env: given }: TestServiceOptions,
  settings: Readonly<Record<string, string>>,
): Promise<TestService> {
  mkdirSync(folder, { recursive: true })
  const port = given?.['PDS_PORT'] ?? String(await freePort())
  const env = {
    PDS_HOSTNAME: 'localhost',
    PDS_PORT: port,
    PDS_DATA_DIRECTORY: folder,
    PDS_BLOBSTORE_DISK_LOCATION: join(folder, 'blobs'),
    PDS_DID_PLC_URL: plcUrl,
    PDS_JWT_SECRET: randomBytes(16).toString('hex'),
    PDS_ADMIN_PASSWORD: randomBytes(16).toString('hex'),
    PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: randomBytes(32).toString('hex'),
    PDS_INVITE_REQUIRED: 'false',
    ...settings,
    ...given,
  }
  const url = `http://localhost:${port}`
  const command = [process.execPath, ...script] as [string, ...string[]]
  const server = await startServer({ command, env, ready: { url: `${url}/xrpc/_health` } })
  return serviceOf(server, { url, folder, env })
}

const serviceOf = (
  server: ServerProcess,
  about: Pick<TestService, 'url' | 'folder' | 'env'>,
): TestService => ({
  ...about,
  pid: server.pid,
  [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
})
