import { summarize } from './figure.ts'
import { createPdsClient } from './pds-client.ts'
import { machineSpeed, type Shared } from './pds-contest.ts'
import { type FullDatabase, writeFullDatabase } from './pds-database.ts'
import { type Running, startOurs } from './pds-servers.ts'
import { sessionOf } from './pds-session.ts'
import type { Row } from './row.ts'
import { residentBytes } from './server-process.ts'

export const FULL = 'memory, 10,000 accounts with 1,000,000 records'
export const START = 'start with 100,000 accounts'
const MB = 1e6

/** Our server on a database of many accounts: how soon it answers, and what it keeps in memory once all were asked for. */
export async function* fullDatabase(
  folder: string,
  { plcUrl, quick, progress }: Shared,
): AsyncGenerator<Row> {
  const accounts = quick ? 2000 : 100_000
  const withRecords = quick ? 200 : 10_000
  progress(`making ${accounts} accounts, ${withRecords} of them with 100 records`)
  const database = await writeFullDatabase(folder, { accounts, withRecords, recordsEach: 100 })
  const starts: number[] = []
  for (let run = 0; run < (quick ? 1 : 3); run++) {
    await using server = await startOurs(folder, plcUrl)
    starts.push(server.readyAfterMs / 1000)
  }
  const start = summarize(starts)
  yield {
    name: START,
    unit: 's',
    ours: start.median,
    spread: start.spread,
    bar: { limit: 2 },
    note: `${accounts} accounts`,
    ...machineSpeed(),
  }

  await using server = await startOurs(folder, plcUrl)
  const requests = await useEverything(server, database, quick ? 2000 : 20_000)
  yield {
    name: FULL,
    unit: 'MB',
    ours: residentBytes(server.pid) / MB,
    bar: { limit: 400 },
    note: `${withRecords} accounts, after ${requests} requests to all of them: reads, lists, exports and writes; ${accounts - withRecords} further accounts lie there without records`,
  }
}

/** Asks for something of every account in turn, many at a time. Every answer has to be a good one. */
async function useEverything(
  { url }: Running,
  { dids, pathsOf }: FullDatabase,
  requests: number,
): Promise<number> {
  const client = createPdsClient(url)
  const { did: audience } = await client.query('com.atproto.server.describeServer')
  let next = 0
  async function worker(): Promise<void> {
    for (let n = next++; n < requests; n = next++) {
      const index = n % dids.length
      const did = dids[index]!
      const [collection, rkey] = pathsOf(index)[n % 100]!.split('/')
      const kind = Math.floor(n / dids.length) % 2 === 0 ? n % 3 : 3 + (n % 3)
      if (kind === 0)
        await client.query(`com.atproto.repo.getRecord?repo=${did}&collection=${collection}&rkey=${rkey}`)
      else if (kind === 1)
        await client.query(`com.atproto.repo.listRecords?repo=${did}&collection=${collection}&limit=100`)
      else if (kind === 2) await (await client.request(`com.atproto.sync.getRepo?did=${did}`)).bytes()
      else {
        const record = { $type: collection, text: `written anew ${n}`, createdAt: new Date().toISOString() }
        await client.procedure(
          'com.atproto.repo.createRecord',
          { repo: did, collection, record, validate: false },
          sessionOf(did, String(audience)),
        )
      }
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  return requests
}
