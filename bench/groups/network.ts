import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '../lib/disk.ts'
import { summarize } from '../lib/figure.ts'
import type { Group } from '../lib/group.ts'
import type { Row } from '../lib/row.ts'
import { missingForMemory, residentBytes, type ServerProcess, startServer } from '../lib/server-process.ts'

const main = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url))
/** Away from a network that runs at its usual ports, and from the one of the end-to-end tests. */
const PORT_OFFSET = 31_000
const PDS = `http://localhost:${2583 + PORT_OFFSET}`
const JETSTREAM = `ws://localhost:${6008 + PORT_OFFSET}`

const ACCOUNTS = 10
const POSTS_PER_ACCOUNT = 20
const POSTS = ACCOUNTS * POSTS_PER_ACCOUNT
const COLLECTION = 'app.bsky.feed.post'

/** How long what starts late may take to show in the memory. */
const SETTLE_MS = 1000
const ARRIVAL_DEADLINE_MS = 20_000

/** What a person feels of `imago up`: how soon it is there, and what it takes of the machine. */
export const group: Group = {
  about: 'start and memory of the development network',

  async *rows({ quick, progress }): AsyncGenerator<Row> {
    using folder = temporaryFolder()
    const data = join(folder.path, 'data')
    progress('the first start, which makes data and compiles')
    await (await startNetwork(data))[Symbol.asyncDispose]()

    const starts: number[] = []
    for (let run = 0; run < (quick ? 1 : 5); run++) {
      progress(`a start on data that is there, ${run + 1}`)
      await using network = await startNetwork(data)
      starts.push(network.readyAfterMs / 1000)
    }
    const start = summarize(starts)
    yield {
      name: 'second start until ready',
      unit: 's',
      ours: start.median,
      spread: start.spread,
      bar: { limit: 3 },
    }

    const idleName = 'memory of the whole network, ready'
    const loadedName = `memory after ${ACCOUNTS} accounts and ${POSTS} posts`
    const missing = missingForMemory()
    if (missing !== undefined) {
      yield { name: idleName, missing }
      yield { name: loadedName, missing }
      return
    }
    await using network = await startNetwork(data)
    await sleep(SETTLE_MS)
    yield { name: idleName, unit: 'MB', ours: residentBytes(network.pid) / 1e6, bar: { limit: 250 } }
    progress('a small load, followed at Jetstream')
    await loadNetwork()
    yield { name: loadedName, unit: 'MB', ours: residentBytes(network.pid) / 1e6, bar: { limit: 250 } }
  },
}

function startNetwork(data: string): Promise<ServerProcess> {
  mkdirSync(data, { recursive: true })
  return startServer({
    command: [process.execPath, main, 'up', '--port-offset', String(PORT_OFFSET)],
    env: { IMAGO_DATA: data },
    ready: { line: 'ready' },
  })
}

/** Accounts that post, until the last post has come out at the far end: PDS, relay and Jetstream have all seen it. */
async function loadNetwork(): Promise<void> {
  const socket = new WebSocket(`${JETSTREAM}/subscribe?wantedCollections=${COLLECTION}`)
  const arrived = new Set<string>()
  const all = Promise.withResolvers<void>()
  socket.onerror = () => all.reject(new Error(`${JETSTREAM} hung up`))
  socket.onmessage = ({ data }) => {
    const { did, commit } = JSON.parse(String(data))
    arrived.add(`${did}/${commit?.rkey}`)
    if (arrived.size === POSTS) all.resolve()
  }
  await new Promise<void>((resolve) => {
    socket.onopen = () => resolve()
  })
  try {
    await Promise.all(Array.from({ length: ACCOUNTS }, (_, n) => postAs(`bench-${n}.test`)))
    const late = sleep(ARRIVAL_DEADLINE_MS, undefined, { ref: false }).then(() => {
      throw new Error(
        `${arrived.size} of ${POSTS} posts came to Jetstream in ${ARRIVAL_DEADLINE_MS / 1000} s`,
      )
    })
    await Promise.race([all.promise, late])
  } finally {
    socket.close()
  }
}

async function postAs(handle: string): Promise<void> {
  const { did, accessJwt } = await post('com.atproto.server.createAccount', {
    handle,
    email: `${handle}@example.com`,
    password: 'a password for the bench',
  })
  for (let n = 0; n < POSTS_PER_ACCOUNT; n++)
    await post(
      'com.atproto.repo.createRecord',
      {
        repo: did,
        collection: COLLECTION,
        record: { $type: COLLECTION, text: `post ${n} of ${handle}`, createdAt: new Date().toISOString() },
      },
      String(accessJwt),
    )
}

async function post(method: string, body: unknown, token?: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${PDS}/xrpc/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (!response.ok) throw new Error(`${method} answers ${response.status} ${JSON.stringify(answer)}`)
  return answer
}
