import assert from 'node:assert/strict'
import { join } from 'node:path'
import { judgeOperation, type Operation } from '@imago/identity/plc'
import { createPlc } from '@imago/plc'
import { createRandom } from '@imago/sim/random'
import { createKeys, historyOf } from '../inputs/plc-operations.ts'
import { fsyncNote, temporaryFolder } from '../lib/disk.ts'
import { summarize } from '../lib/figure.ts'
import type { GroupContext } from '../lib/group.ts'
import { formatFigure, type Row } from '../lib/row.ts'

const SEED = 23
const SINCE = Date.UTC(2026, 0, 1)
const OPERATIONS = 2
const P256_OF = 8
const BATCH = 4096
const PAGE_LINES = 1000

/** A replica that begins: by bundles of the log, and by pages. What the upstream says is at hand, so that only ours counts. */
export async function* rows({ quick, progress }: GroupContext): AsyncGenerator<Row> {
  using folder = temporaryFolder()
  const level = quick ? 1 : 2
  const size = quick ? 40 * 256 : 256 ** 2
  progress(`signing ${size} operations`)
  await using upstream = await createPlc({
    databaseFile: join(folder.path, 'upstream.sqlite'),
    transparency: { origin: 'bench.example/log', seed: new Uint8Array(32).fill(1) },
    snapshots: { folder: join(folder.path, 'snapshot'), level },
  })
  await fill(upstream.store, size)
  await upstream.transparencyLog!.publish()
  progress('making the bundles')
  await upstream.snapshots!.idle()
  const bundles = upstream.snapshots!.within(size)
  assert.equal(bundles.length, size / 256 ** level)

  const answers = new Map<string, Promise<{ readonly body: ArrayBuffer; readonly headers: Headers }>>()
  async function answerOf(path: string) {
    const response = await upstream.fetch(new Request(`http://plc${path}`))
    assert.equal(response.status, 200, path)
    return { body: await response.arrayBuffer(), headers: response.headers }
  }
  const remembered = (async (input: string) => {
    const { pathname, search } = new URL(input)
    const path = pathname + search
    if (!answers.has(path)) answers.set(path, answerOf(path))
    const { body, headers } = await answers.get(path)!
    return new Response(body, { headers })
  }) as typeof fetch
  const onlyPages = (async (input: string) =>
    new URL(input).pathname === '/snapshot'
      ? new Response(null, { status: 404 })
      : await remembered(input)) as typeof fetch

  let runs = 0
  async function begin(fetch: typeof globalThis.fetch): Promise<number> {
    const databaseFile = join(folder.path, `replica-${++runs}.sqlite`)
    const before = performance.now()
    await using replica = await createPlc({
      databaseFile,
      replica: { upstream: 'http://upstream.invalid', workers: 1, fetch },
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    replica.store.subscribe((operations) => {
      if (operations.at(-1)!.seq === size) resolve()
    })
    await promise
    const seconds = (performance.now() - before) / 1000
    assert.equal((await replica.store.latest())?.seq, size)
    return size / seconds
  }
  // The first of each is for warming up, and fills what is remembered.
  await begin(remembered)
  await begin(onlyPages)
  const figures = { bundles: [] as number[], pages: [] as number[] }
  for (let run = 0; run < (quick ? 1 : 3); run++) {
    progress(`a replica begins, ${run + 1}`)
    figures.bundles.push(await begin(remembered))
    figures.pages.push(await begin(onlyPages))
  }
  const { median, spread } = summarize(figures.bundles)
  const bytes = bundles.reduce((sum, bundle) => sum + bundle.bytes, 0)
  yield {
    name: 'a replica begins with bundles of the log',
    unit: '/s',
    ours: median,
    spread,
    peers: { 'ours, page by page': summarize(figures.pages).median },
    bar: { timesPeer: 1 },
    note: `operations on the clock of two cores, each verified in one thread and stored by another; ${Math.ceil(size / PAGE_LINES)} requests by pages, ${bundles.length} by bundles; ${formatFigure(bytes / size, 'B')} of a bundle for each; ${fsyncNote(folder.path)}`,
  }
}

async function fill(store: Awaited<ReturnType<typeof createPlc>>['store'], size: number): Promise<void> {
  const random = createRandom(SEED)
  const keys = createKeys(random)
  let seq = 0
  while (seq < size) {
    const batch: Parameters<typeof store.replay>[0][number][] = []
    while (batch.length < Math.min(BATCH, size - seq)) {
      const signer = random.pick(random.int(P256_OF) === 0 ? keys.p256 : keys.k256)
      const { did, operations } = historyOf(random, signer, keys, OPERATIONS)
      for (const operation of operations as readonly Operation[]) {
        const place = seq + batch.length + 1
        batch.push({ did, operation, seq: place, createdAt: SINCE + place })
      }
    }
    await store.replay(batch, (log, { operation, createdAt }) =>
      judgeOperation(log, operation, createdAt, () => 0),
    )
    seq += batch.length
  }
}
