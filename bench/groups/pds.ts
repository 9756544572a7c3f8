import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fsyncNote, temporaryFolder } from '../lib/disk.ts'
import type { Group } from '../lib/group.ts'
import { checkPds, createPdsClient } from '../lib/pds-client.ts'
import { ACCOUNTS, type Contest, contend, type Work } from '../lib/pds-contest.ts'
import { FULL, fullDatabase, START } from '../lib/pds-full.ts'
import { missingForLoad } from '../lib/pds-load.ts'
import { importRepository } from '../lib/pds-migration.ts'
import { BLOB_LIMIT_BYTES, type Running, startOurs, startPlc, startReference } from '../lib/pds-servers.ts'
import { LAG, REPLAY, stream } from '../lib/pds-stream.ts'
import { installPeers, PeerUnavailableError } from '../lib/peers.ts'
import { formatFigure, type Row } from '../lib/row.ts'
import { missingForMemory, missingForPinning, residentBytes } from '../lib/server-process.ts'

const MB = 1e6

const WORK: readonly Work[] = [
  {
    name: `createRecord, ${ACCOUNTS} accounts, 64 in flight`,
    load: { mode: 'createRecord', concurrency: 64 },
    bar: { timesPeer: 10 },
    durable: true,
    p99: {
      name: 'createRecord, 64 in flight: 99 of 100 answers',
      limitMs: 50,
      bound: {
        bar: { limit: 90 },
        by: '64 in flight on one core wait 35 to 40 ms each while nothing disturbs (decision 013)',
      },
    },
  },
  {
    name: `createRecord, ${ACCOUNTS} accounts, 1 in flight`,
    load: { mode: 'createRecord', concurrency: 1 },
    bar: { timesPeer: 4 },
    durable: true,
  },
  {
    name: `getRecord, ${ACCOUNTS} accounts, 16 in flight`,
    load: { mode: 'getRecord', concurrency: 16 },
    bar: { timesPeer: 8 },
  },
  {
    name: 'listRecords of 100, 16 in flight',
    load: { mode: 'listRecords', concurrency: 16 },
    bar: { timesPeer: 6 },
  },
  {
    name: 'applyWrites of 100, 100 accounts, 4 in flight',
    load: { mode: 'applyWrites', concurrency: 4 },
    bar: { timesPeer: 8 },
    durable: true,
  },
  {
    name: 'getRepo of 10,000 records, 2 in flight',
    load: { mode: 'getRepo', concurrency: 2, accounts: 1, records: 10_000 },
    bar: { timesPeer: 5 },
  },
  {
    name: 'uploadBlob of 1 MB, 8 in flight',
    load: { mode: 'uploadBlob', concurrency: 8 },
    bar: { timesPeer: 2 },
    durable: true,
  },
]

const IMPORT = 'importRepo of 100,000 records'
const IMPORT_MEMORY = 'importRepo of 100,000 records: memory on top'
const SHUFFLED_MEMORY = 'importRepo of 500,000 shuffled records: memory on top'
/** What an import may cost, hostile ones included. */
const IMPORT_LIMIT_BYTES = 64 * 2 ** 20
const LARGE_BLOB = 'uploadBlob of 300 MB: memory on top'
const IDLE = 'memory, idle'

/** Our PDS and the reference, under the same loads, each on a core of its own. */
export const group: Group = {
  about: 'speed, latency and memory of the PDS on one core, against the reference PDS',

  async *rows(context): AsyncGenerator<Row> {
    const { progress } = context
    const missing = missingForLoad() ?? missingForPinning() ?? missingForMemory()
    const peers = missing ?? (await installPeers('pds', progress).catch(unavailable))
    if (typeof peers === 'string') {
      const names = WORK.flatMap(({ name, p99 }) => (p99 ? [name, p99.name] : [name]))
      const others = [LAG, REPLAY, IMPORT, IMPORT_MEMORY, SHUFFLED_MEMORY, LARGE_BLOB, IDLE, FULL, START]
      yield* [...names, ...others].map((name) => ({ name, missing: peers }))
      return
    }

    using folder = temporaryFolder()
    await using stack = new AsyncDisposableStack()
    const plc = stack.use(await startPlc(join(folder.path, 'plc')))
    const shared = { peerName: peers.title('@atproto/pds'), plcUrl: plc.url, ...context }
    /** Both servers, with nothing in them and nothing in their memory. */
    const start = async (name: string): Promise<Contest> => {
      const ours = await startOurs(join(folder.path, `${name}-ours`), plc.url)
      const peer = await startReference(join(folder.path, `${name}-reference`), plc.url, peers)
      const stop = async () => {
        await ours[Symbol.asyncDispose]()
        await peer[Symbol.asyncDispose]()
      }
      return { ...shared, ours, peer, disk: fsyncNote(folder.path), [Symbol.asyncDispose]: stop }
    }
    {
      // Fills the cache of compiled code, for all that follow.
      await using _first = await startOurs(join(folder.path, 'first'), plc.url)
    }
    {
      await using contest = await start('idle')
      yield* idleMemory(contest)
      yield* largeBlob(contest)
      yield* imports(contest)
    }
    yield* shuffledImport(join(folder.path, 'shuffled'), shared)
    {
      await using contest = await start('busy')
      for (const { url } of [contest.ours, contest.peer]) await checkPds(url)
      for (const work of WORK) yield* contend(contest, work)
      yield* stream(contest)
    }
    yield* fullDatabase(join(folder.path, 'full'), shared)
  },
}

async function* imports({ ours, peer, peerName, plcUrl, quick, progress }: Contest): AsyncGenerator<Row> {
  const records = quick ? 10_000 : 100_000
  const run = ({ url, pid }: Running) =>
    importRepository(createPdsClient(url), { name: 'newcomer', records, plcUrl, serverPid: pid })
  progress(`importRepo of ${records} records: ours`)
  const mine = await run(ours)
  progress(`importRepo of ${records} records: the reference`)
  const theirs = await run(peer)
  yield {
    name: IMPORT,
    unit: 's',
    ours: mine.seconds,
    peers: { [peerName]: theirs.seconds },
    bar: { timesPeer: 5 },
    note: `${records} records in a file of ${formatFigure(mine.carBytes / MB, 'MB')}`,
  }
  yield {
    name: IMPORT_MEMORY,
    unit: 'MB',
    ours: onTop(mine),
    peers: { [peerName]: onTop(theirs) },
    bar: { limit: IMPORT_LIMIT_BYTES / MB },
    note: `at the highest, beyond ${formatFigure(mine.beforeBytes / MB, 'MB')} before`,
  }
}

/** Nearly all blocks come before their turn: the most that an import has to keep. */
async function* shuffledImport(
  folder: string,
  { plcUrl, quick, progress }: Pick<Contest, 'plcUrl' | 'quick' | 'progress'>,
): AsyncGenerator<Row> {
  const records = quick ? 50_000 : 500_000
  progress(`importRepo of ${records} shuffled records`)
  await using server = await startOurs(folder, plcUrl)
  const shuffled = await importRepository(createPdsClient(server.url), {
    name: 'shuffled',
    records,
    order: 'shuffled',
    plcUrl,
    serverPid: server.pid,
  })
  yield {
    name: SHUFFLED_MEMORY,
    unit: 'MB',
    ours: onTop(shuffled),
    bar: { limit: IMPORT_LIMIT_BYTES / MB },
    note: `${records} records in ${formatFigure(shuffled.seconds, 's')}, beyond ${formatFigure(shuffled.beforeBytes / MB, 'MB')} before`,
  }
}

const onTop = ({ peakBytes, beforeBytes }: { peakBytes: number; beforeBytes: number }) =>
  Math.max(peakBytes - beforeBytes, 1) / MB

async function* largeBlob({ ours, quick, progress }: Contest): AsyncGenerator<Row> {
  progress('uploadBlob of 300 MB')
  const client = createPdsClient(ours.url)
  const session = await client.createAccount('photographer')
  const total = quick ? 50 * MB : BLOB_LIMIT_BYTES
  const chunk = randomBytes(1024 * 1024)
  async function* body() {
    for (let sent = 0; sent < total; sent += chunk.length) yield chunk.subarray(0, total - sent)
  }
  const beforeBytes = residentBytes(ours.pid)
  let peakBytes = beforeBytes
  const sampling = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytes(ours.pid))
  }, 20)
  const startedAt = performance.now()
  const response = await client.request('com.atproto.repo.uploadBlob', {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', authorization: `Bearer ${session.accessJwt}` },
    body: ReadableStream.from(body()),
    duplex: 'half',
  } as RequestInit)
  clearInterval(sampling)
  const seconds = (performance.now() - startedAt) / 1000
  const { blob } = (await response.json()) as { blob: { size: number } }
  if (blob.size !== total) throw new Error(`${total} bytes were sent, and the blob has ${blob.size}`)
  yield {
    name: LARGE_BLOB,
    unit: 'MB',
    ours: onTop({ peakBytes, beforeBytes }),
    bar: { limit: 64 },
    note: `${formatFigure(total / MB, 'MB')}, beyond ${formatFigure(beforeBytes / MB, 'MB')} before; ${formatFigure(total / MB / seconds, 'MB/s')}`,
  }
}

const SETTLE_MS = 2000

async function* idleMemory({ ours, peer, peerName }: Contest): AsyncGenerator<Row> {
  for (const { url } of [ours, peer]) await createPdsClient(url).query('com.atproto.server.describeServer')
  await sleep(SETTLE_MS)
  yield {
    name: IDLE,
    unit: 'MB',
    ours: residentBytes(ours.pid) / MB,
    peers: { [peerName]: residentBytes(peer.pid) / MB },
    bar: { limit: 120 },
  }
}

const unavailable = (error: unknown): string => {
  if (error instanceof PeerUnavailableError) return error.message
  throw error
}
