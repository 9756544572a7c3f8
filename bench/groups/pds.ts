import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cidOfDrisl, encode, fromJson } from '@imago/data'
import { fsyncNote, temporaryFolder } from '../lib/disk.ts'
import { median, summarize } from '../lib/figure.ts'
import type { Group } from '../lib/group.ts'
import { type Load, loadPds, missingForLoad } from '../lib/pds-load.ts'
import { installPeers, type Peers, PeerUnavailableError } from '../lib/peers.ts'
import { formatFigure, type Row } from '../lib/row.ts'
import { freePort, missingForPinning, type ServerProcess, startServer } from '../lib/server-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const SERVER_CORE = 1
const LOAD_CORE = 0
const ACCOUNTS = 100
/** Of each account before records are read: the same for both servers, and soon made. */
const RECORDS = 100

const WORK = [
  { mode: 'createRecord', concurrency: 64, durable: true },
  { mode: 'getRecord', concurrency: 16, durable: false },
] as const

const nameOf = ({ mode, concurrency }: (typeof WORK)[number]) =>
  `${mode}, ${ACCOUNTS} accounts, ${concurrency} in flight`

/** Our PDS and the reference, one after the other under the same load, on a core of its own. */
export const group: Group = {
  about: 'requests per second of the PDS on one core, against the reference PDS',

  async *rows({ quick, progress }): AsyncGenerator<Row> {
    const missing = missingForLoad() ?? missingForPinning()
    const peers = missing ?? (await installPeers('pds', progress).catch(unavailable))
    if (typeof peers === 'string') {
      yield* WORK.map((work) => ({ name: nameOf(work), missing: peers }))
      return
    }

    using folder = temporaryFolder()
    await using stack = new AsyncDisposableStack()
    const plc = stack.use(await startPlc(join(folder.path, 'plc')))
    const contenders = {
      ours: stack.use(await startOurs(join(folder.path, 'ours'), plc.url)),
      peer: stack.use(await startReference(join(folder.path, 'reference'), plc.url, peers)),
    }
    for (const { url } of Object.values(contenders)) await checkPds(url)

    const runs = quick ? 1 : 3
    for (const work of WORK) {
      const loads = { ours: [] as Load[], peer: [] as Load[] }
      for (let run = 0; run < runs; run++)
        for (const who of ['ours', 'peer'] as const) {
          progress(`${work.mode} against ${who === 'ours' ? 'ours' : 'the reference'}, ${run + 1} of ${runs}`)
          const { url, pid, folder: data } = contenders[who]
          const load = await loadPds({
            url,
            mode: work.mode,
            accounts: ACCOUNTS,
            concurrency: work.concurrency,
            seconds: quick ? 2 : 5,
            records: RECORDS,
            sessionFile: join(data, 'sessions.json'),
            serverPid: pid,
            core: LOAD_CORE,
          })
          loads[who].push(load)
        }
      const ours = rateOf(loads.ours)
      yield {
        name: nameOf(work),
        unit: '/s',
        ours: ours.median,
        spread: ours.spread,
        peers: { [peers.title('@atproto/pds')]: rateOf(loads.peer).median },
        bar: { timesPeer: 3 },
        note: [
          ...cpuNote(loads),
          ...(work.durable ? [`${fsyncNote(folder.path)}, which only ours waits for`] : []),
        ].join('; '),
      }
    }
  },
}

const rateOf = (loads: readonly Load[]) => summarize(loads.map(({ opsPerSec }) => opsPerSec))

/** Steadier than a rate where somebody else uses the core, too. */
function cpuNote({ ours, peer }: { ours: readonly Load[]; peer: readonly Load[] }): string[] {
  const [mine, theirs] = [ours, peer].map((loads) => loads.flatMap((load) => load.serverCpuMsPerOp ?? []))
  if (!mine?.length || !theirs?.length) return []
  return [
    `processor time of one ${formatFigure(median(mine), 'ms')}, the peer's ${formatFigure(median(theirs), 'ms')}`,
  ]
}

const unavailable = (error: unknown): string => {
  if (error instanceof PeerUnavailableError) return error.message
  throw error
}

interface Running extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  readonly folder: string
}

const running = (url: string, folder: string, server: ServerProcess): Running => ({
  url,
  folder,
  pid: server.pid,
  [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
})

/** The directory that both servers register their accounts with. */
async function startPlc(folder: string): Promise<Running> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const server = await startServer({
    command: [process.execPath, join(root, 'services/plc/src/main.ts')],
    env: { PLC_PORT: String(port), PLC_DATABASE_FILE: join(folder, 'plc.sqlite'), PLC_LOG_LEVEL: 'warn' },
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
    PDS_DID_PLC_URL: plcUrl,
    PDS_JWT_SECRET: randomBytes(16).toString('hex'),
    PDS_ADMIN_PASSWORD: randomBytes(16).toString('hex'),
    PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: randomBytes(32).toString('hex'),
    PDS_INVITE_REQUIRED: 'false',
  }
}

async function startOurs(folder: string, plcUrl: string): Promise<Running> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const server = await startServer({
    command: [process.execPath, join(root, 'services/pds/src/main.ts')],
    env: { ...environment(port, folder, plcUrl), LOG_LEVEL: 'warn' },
    core: SERVER_CORE,
    ready: { url: `${url}/xrpc/_health` },
  })
  return running(url, folder, server)
}

async function startReference(folder: string, plcUrl: string, peers: Peers): Promise<Running> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const server = await startServer({
    command: [process.execPath, join(root, 'bench/reference-pds.ts'), peers.entry],
    env: {
      ...environment(port, folder, plcUrl),
      PDS_DEV_MODE: 'true',
      PDS_DISABLE_SSRF_PROTECTION: 'true',
      PDS_RATE_LIMITS_ENABLED: 'false',
      LOG_ENABLED: 'false',
    },
    core: SERVER_CORE,
    ready: { url: `${url}/xrpc/_health` },
  })
  return running(url, folder, server)
}

/** One account, one record, and the record as it was written, under the CID that its bytes have. */
async function checkPds(url: string): Promise<void> {
  const call = async (method: string, init?: RequestInit) => {
    const response = await fetch(`${url}/xrpc/${method}`, init)
    const body = await response.json()
    if (!response.ok) throw new Error(`${url}: ${method} answers ${response.status} ${JSON.stringify(body)}`)
    return body as Record<string, unknown>
  }
  const post = (method: string, body: unknown, headers: Record<string, string> = {}) =>
    call(method, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const { did, accessJwt } = await post('com.atproto.server.createAccount', {
    handle: 'first-of-all.test',
    email: 'check@example.com',
    password: randomBytes(16).toString('hex'),
  })
  const collection = 'app.bsky.feed.post'
  const record = { $type: collection, text: 'Grüße 👋', createdAt: new Date().toISOString() }
  const { uri, cid } = await post(
    'com.atproto.repo.createRecord',
    { repo: did, collection, record },
    { authorization: `Bearer ${accessJwt}` },
  )
  const rkey = String(uri).split('/').at(-1)
  const read = await call(`com.atproto.repo.getRecord?repo=${did}&collection=${collection}&rkey=${rkey}`)
  const expected = cidOfDrisl(encode(fromJson(record))).toString()
  const found = cidOfDrisl(encode(fromJson(read['value']))).toString()
  if (cid !== expected || read['cid'] !== expected || found !== expected)
    throw new Error(`${url}: a record of CID ${expected} was acknowledged as ${cid}, and read as ${found}`)
}
