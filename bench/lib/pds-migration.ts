import { randomBytes } from 'node:crypto'
import { generateKeypair, type Keypair } from '@imago/crypto'
import { createGenesis } from '@imago/identity/plc'
import type { Did } from '@imago/syntax'
import { repositoryCar } from '../inputs/repository-car.ts'
import type { PdsClient, Session } from './pds-client.ts'
import { residentBytes } from './server-process.ts'

const SEED = 7
const SAMPLE_MS = 20

export interface Import {
  readonly seconds: number
  readonly carBytes: number
  /** Memory of the server while it imported, at its highest, and before. */
  readonly peakBytes: number
  readonly beforeBytes: number
}

/** Someone who moves in: a name, a directory for the DID, and the server's process, whose memory is watched. */
export interface Newcomer {
  readonly name: string
  readonly plcUrl: string
  readonly serverPid: number
}

/** Who signs what comes from elsewhere. */
export interface Owner {
  readonly did: Did
  readonly keypair: Keypair
}

/**
 * Moves a repository of someone else's to a server, as a client does that migrates an account: a DID whose key signs both
 * the repository and the request for an account here, then importRepo.
 * @param newcomer.order of the blocks in the file; streamable, if not given.
 * @throws Error when a call fails, or the server says afterwards that it has another number of records.
 */
export async function importRepository(
  client: PdsClient,
  newcomer: Newcomer & { readonly records: number; readonly order?: 'shuffled' },
): Promise<Import> {
  const { records, order } = newcomer
  const fileOf = (owner: Owner) => repositoryCar({ seed: SEED, records, owner }).chunks(order)
  const sent = await sendFile(client, { ...newcomer, fileOf })
  if (sent.refusal !== undefined) throw new Error(sent.refusal)
  if (sent.records !== records)
    throw new Error(`${records} records were imported, and the server says that it has ${sent.records}`)
  return sent
}

export interface Sent extends Import {
  /** What the server said where it did not take the file. */
  readonly refusal: string | undefined
  /** That the account has afterwards. */
  readonly records: number
}

/** As {@link importRepository}, of any file, which the server may refuse. */
export async function sendFile(
  client: PdsClient,
  { name, plcUrl, serverPid, fileOf }: Newcomer & { readonly fileOf: (owner: Owner) => Iterable<Uint8Array> },
): Promise<Sent> {
  const keypair = generateKeypair('k256')
  const did = await registerDid(plcUrl, name, keypair)
  const session = await moveIn(client, name, did, keypair)
  const body = Buffer.concat([...fileOf({ did, keypair })])

  const beforeBytes = residentBytes(serverPid)
  let peakBytes = beforeBytes
  const sampling = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytes(serverPid))
  }, SAMPLE_MS)
  let refusal: string | undefined
  const startedAt = performance.now()
  await client
    .request('com.atproto.repo.importRepo', {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.ipld.car', authorization: `Bearer ${session.accessJwt}` },
      body,
    })
    .catch((error: Error) => {
      refusal = error.message
    })
  const seconds = (performance.now() - startedAt) / 1000
  clearInterval(sampling)
  const status = await client.request('com.atproto.server.checkAccountStatus', {
    headers: { authorization: `Bearer ${session.accessJwt}` },
  })
  const { indexedRecords } = (await status.json()) as { indexedRecords: number }
  return { seconds, carBytes: body.length, beforeBytes, peakBytes, refusal, records: indexedRecords }
}

async function registerDid(plcUrl: string, name: string, keypair: Keypair): Promise<Did> {
  const { did, operation } = createGenesis(
    {
      rotationKeys: [keypair.didKey],
      verificationMethods: { atproto: keypair.didKey },
      alsoKnownAs: [`at://${name}.test`],
      services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://old.example.com' } },
    },
    keypair,
  )
  const response = await fetch(`${plcUrl}/${did}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(operation),
  })
  if (!response.ok) throw new Error(`the directory refused ${did}: ${await response.text()}`)
  return did
}

async function moveIn(client: PdsClient, name: string, did: Did, keypair: Keypair): Promise<Session> {
  const { did: aud } = await client.query('com.atproto.server.describeServer')
  const lxm = 'com.atproto.server.createAccount'
  const token = serviceToken(keypair, { iss: did, aud: String(aud), lxm })
  const account = {
    did,
    handle: `${name}.test`,
    email: `${name}@example.com`,
    password: randomBytes(16).toString('hex'),
  }
  return (await client.procedure(lxm, account, undefined, {
    authorization: `Bearer ${token}`,
  })) as unknown as Session
}

/** @see https://atproto.com/specs/xrpc#inter-service-authentication-jwt */
function serviceToken(keypair: Keypair, claims: Record<string, string>): string {
  const now = Math.floor(Date.now() / 1000)
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const jti = randomBytes(16).toString('hex')
  const signed = `${part({ typ: 'JWT', alg: 'ES256K' })}.${part({ ...claims, iat: now, exp: now + 60, jti })}`
  return `${signed}.${Buffer.from(keypair.sign(Buffer.from(signed))).toString('base64url')}`
}
