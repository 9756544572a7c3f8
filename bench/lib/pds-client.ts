import { randomBytes } from 'node:crypto'
import { cidOfDrisl, encode, fromJson, readCar } from '@imago/data'
import { verifyRepo } from '@imago/repo'

/** Whom a benchmark acts as. */
export interface Session {
  readonly did: string
  readonly accessJwt: string
}

/** Calls of any PDS, for what is not timed. @throws Error that names the method, the status and what was answered. */
export function createPdsClient(url: string) {
  const request = async (method: string, init?: RequestInit): Promise<Response> => {
    const response = await fetch(`${url}/xrpc/${method}`, init)
    if (!response.ok)
      throw new Error(`${url}: ${method} answers ${response.status} ${(await response.text()).slice(0, 300)}`)
    return response
  }
  const json = async (method: string, init?: RequestInit) =>
    (await (await request(method, init)).json()) as Record<string, unknown>
  const bearer = (session: Session | undefined): Record<string, string> =>
    session ? { authorization: `Bearer ${session.accessJwt}` } : {}
  return {
    request,
    query: (method: string) => json(method),
    procedure: (method: string, body: unknown, session?: Session, headers: Record<string, string> = {}) =>
      json(method, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...bearer(session), ...headers },
        body: JSON.stringify(body),
      }),
    async createAccount(name: string): Promise<Session> {
      const body = {
        handle: `${name}.test`,
        email: `${name}@example.com`,
        password: randomBytes(16).toString('hex'),
      }
      return (await this.procedure('com.atproto.server.createAccount', body)) as unknown as Session
    },
    /** The whole repository, checked from the commit to the last record. @returns how many records it has. */
    async countRecords(did: string): Promise<number> {
      const response = await request(`com.atproto.sync.getRepo?did=${did}`)
      return verifyRepo(readCar(await response.bytes()), {}).records.size
    },
  }
}

export type PdsClient = ReturnType<typeof createPdsClient>

/** One account, one record, and the record as it was written, under the CID that its bytes have, alone and in lists. */
export async function checkPds(url: string): Promise<void> {
  const client = createPdsClient(url)
  const session = await client.createAccount('first-of-all')
  const { did } = session
  const collection = 'app.bsky.feed.post'
  const record = { $type: collection, text: 'Grüße 👋', createdAt: new Date().toISOString() }
  const { uri, cid } = await client.procedure(
    'com.atproto.repo.createRecord',
    { repo: did, collection, record },
    session,
  )
  const expected = cidOfDrisl(encode(fromJson(record))).toString()
  const assertIsIt = (what: string, found: unknown) => {
    const { uri: foundUri, cid: foundCid, value } = found as Record<string, unknown>
    const own = cidOfDrisl(encode(fromJson(value))).toString()
    if (cid !== expected || foundCid !== expected || own !== expected || foundUri !== uri)
      throw new Error(
        `${url}: a record of CID ${expected} was acknowledged as ${cid}, and ${what} has it as ${own}`,
      )
  }
  const where = `repo=${did}&collection=${collection}`
  const rkey = String(uri).split('/').at(-1)
  assertIsIt('getRecord', await client.query(`com.atproto.repo.getRecord?${where}&rkey=${rkey}`))
  const { records } = await client.query(`com.atproto.repo.listRecords?${where}`)
  assertIsIt('listRecords', (records as unknown[])[0])
  const count = await client.countRecords(did)
  if (count !== 1) throw new Error(`${url}: a repository of one record has ${count}`)
}
