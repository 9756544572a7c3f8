import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { writeDurably } from '@imago/service'
import { CliError, EXIT } from '../cli-error.ts'

/** What a development network keeps beside its services' own data: made once, at the first start. */
export interface NetworkIdentity {
  /** By which its ports are moved. Accounts carry the PDS's address in their DID documents, so that it stays. */
  readonly portOffset: number
  readonly jwtSecret: string
  readonly adminPassword: string
  /** 64 hexadecimal digits. */
  readonly plcRotationKey: string
}

/** The folders of an opened data folder. */
export interface DataFolder {
  readonly path: string
  readonly identity: NetworkIdentity
  readonly plc: string
  readonly pds: string
  readonly relay: string
  readonly jetstream: string
}

const IDENTITY_FILE = 'network.json'
const PARTS = ['plc', 'pds', 'relay', 'jetstream'] as const
const SECRET_BYTES = 32
const OWNER_ONLY_FOLDER = 0o700

/** The folder of a network where `IMAGO_DATA` names none: each port offset has its own. */
export function defaultDataPath(portOffset: number): string {
  return portOffset === 0 ? 'data' : join('data', `port-offset-${portOffset}`)
}

/**
 * Opens the folder of a network, making it and its secrets if there are none.
 * @param options.randomBytes of a source fit for keys.
 * @throws {CliError} when the folder holds something else, is damaged, or belongs to a network on other ports.
 */
export function openDataFolder(options: {
  path: string
  portOffset: number
  randomBytes: (length: number) => Uint8Array
}): DataFolder {
  const path = resolve(options.path)
  const file = join(path, IDENTITY_FILE)
  let identity: NetworkIdentity
  if (existsSync(file)) identity = readIdentity(file, options.portOffset)
  else {
    assertNotForeign(path)
    identity = newIdentity(options)
    mkdirSync(path, { recursive: true, mode: OWNER_ONLY_FOLDER })
    writeDurably(file, `${JSON.stringify(identity, null, 2)}\n`)
  }
  const [plc, pds, relay, jetstream] = PARTS.map((part) => join(path, part)) as [
    string,
    string,
    string,
    string,
  ]
  return { path, identity, plc, pds, relay, jetstream }
}

/**
 * Removes what a network kept, and nothing else: only from a folder that is one, and only what is ours in it.
 * @returns the paths that are gone; none when there was no network.
 * @throws {CliError} when the folder holds something else.
 */
export function removeNetwork(givenPath: string): string[] {
  const path = resolve(givenPath)
  const file = join(path, IDENTITY_FILE)
  if (!existsSync(file)) {
    assertNotForeign(path)
    return []
  }
  // The file that makes the folder ours goes last: a removal that was broken off can be made again.
  const ours = [...PARTS.map((part) => join(path, part)), file].filter((one) => existsSync(one))
  for (const one of ours) rmSync(one, { recursive: true })
  return ours
}

/** @throws {CliError} when there is data under our names that we did not put there. */
function assertNotForeign(path: string): void {
  const found = PARTS.filter((part) => existsSync(join(path, part)))
  if (found.length > 0)
    throw new CliError(
      EXIT.usage,
      `the folder ${path} holds ${found.join(', ')} but no ${IDENTITY_FILE}, so it is not the data of an earlier \`imago up\`.\n` +
        'Set IMAGO_DATA to another folder, or move these away.',
    )
}

function newIdentity({
  portOffset,
  randomBytes,
}: {
  portOffset: number
  randomBytes: (length: number) => Uint8Array
}): NetworkIdentity {
  return {
    portOffset,
    jwtSecret: randomBytes(SECRET_BYTES).toHex(),
    adminPassword: randomBytes(SECRET_BYTES).toHex(),
    plcRotationKey: randomBytes(SECRET_BYTES).toHex(),
  }
}

function readIdentity(file: string, portOffset: number): NetworkIdentity {
  const identity = parseIdentity(readFileSync(file, 'utf8'))
  if (identity === undefined)
    throw new CliError(
      EXIT.failed,
      `${file} is damaged: it holds the keys of the network beside it.\n` +
        'Put it back from a copy, or begin anew by removing the folder.',
    )
  if (identity.portOffset !== portOffset)
    throw new CliError(
      EXIT.usage,
      `the network in this folder has port offset ${identity.portOffset}, not ${portOffset}, and its accounts point there: ${file}.\n` +
        `Run it with --port-offset ${identity.portOffset}, begin anew with --fresh, or set IMAGO_DATA to another folder.`,
    )
  return identity
}

function parseIdentity(text: string): NetworkIdentity | undefined {
  try {
    const { portOffset, jwtSecret, adminPassword, plcRotationKey } = JSON.parse(text) as Record<
      string,
      unknown
    >
    const isSecret = (value: unknown): value is string =>
      typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
    if (!Number.isSafeInteger(portOffset)) return undefined
    if (!isSecret(jwtSecret) || !isSecret(adminPassword) || !isSecret(plcRotationKey)) return undefined
    return { portOffset: portOffset as number, jwtSecret, adminPassword, plcRotationKey }
  } catch {
    return undefined
  }
}
