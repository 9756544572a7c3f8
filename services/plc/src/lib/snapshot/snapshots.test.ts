import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test, { type TestContext } from 'node:test'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { generateKeypair } from '@imago/crypto'
import { equalBytes } from '@imago/data'
import { createGenesis } from '@imago/identity/plc'
import { createPostgresDatabase, postgresTest } from '@imago/sim/postgres-test'
import { readEntryBundle, writeEntryBundle } from '@imago/tlog'
import { createPlc, type Plc, type PlcOptions } from '../create-plc.ts'
import { readRuns, runRoot } from './bundle-form.ts'

const owner = generateKeypair('k256')
const RUN = 256

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'imago-snapshot-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

async function directory(folder: string, others: Partial<PlcOptions> = {}): Promise<Plc> {
  return await createPlc({
    databaseFile: join(folder, 'plc.sqlite'),
    writeLimits: false,
    transparency: {
      origin: 'plc.test/log',
      seed: new Uint8Array(32).fill(7),
      checkpointFile: join(folder, 'log.checkpoint'),
    },
    snapshots: { folder: join(folder, 'snapshot'), level: 1 },
    ...others,
  })
}

async function register(plc: Plc): Promise<void> {
  const alsoKnownAs = [crypto.randomUUID()]
  const { did, operation } = createGenesis(
    { rotationKeys: [owner.didKey], verificationMethods: {}, alsoKnownAs, services: {} },
    owner,
  )
  const headers = { 'content-type': 'application/json' }
  const response = await plc.fetch(
    new Request(`http://plc/${did}`, { method: 'POST', headers, body: JSON.stringify(operation) }),
  )
  assert.equal(response.status, 200)
}

async function grow(plc: Plc, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => register(plc)))
  await plc.transparencyLog!.publish()
  await plc.snapshots!.idle()
}

const get = (plc: Plc, path: string) => plc.fetch(new Request(`http://plc${path}`))
const listOf = async (plc: Plc) => (await get(plc, '/snapshot')).json() as Promise<Listed>

interface Listed {
  readonly origin: string
  readonly checkpoint: string
  readonly bundles: readonly {
    readonly firstSeq: number
    readonly lastSeq: number
    readonly count: number
    readonly bytes: number
    readonly root: string
  }[]
}

test('[PLC-30] a full subtree of the log is a bundle: its entries, whose root the tiles have', async (t) => {
  const folder = temporaryFolder(t)
  await using plc = await directory(folder)
  assert.equal((await get(plc, '/snapshot')).status, 404)
  await grow(plc, 2 * RUN - 1)
  assert.equal((await listOf(plc)).bundles.length, 1)
  await grow(plc, 1)
  const { origin, checkpoint, bundles } = await listOf(plc)
  assert.equal(origin, 'plc.test/log')
  assert.equal(checkpoint, await (await get(plc, '/log/checkpoint')).text())
  assert.deepEqual(
    bundles.map(({ firstSeq, lastSeq, count }) => [firstSeq, lastSeq, count]),
    [
      [1, 256, 256],
      [257, 512, 256],
    ],
  )
  for (const [index, { root, bytes }] of bundles.entries()) {
    const response = await get(plc, `/snapshot/${index}`)
    assert.equal(response.headers.get('content-type'), 'application/zstd')
    assert.match(response.headers.get('cache-control')!, /immutable/)
    assert.equal(response.headers.get('content-length'), String(bytes))
    const compressed = new Uint8Array(await response.arrayBuffer())
    assert.equal(compressed.length, bytes)
    const entries = new Uint8Array(zstdDecompressSync(compressed))
    const tiled = await (await get(plc, `/log/tile/entries/00${index}`)).arrayBuffer()
    assert.ok(equalBytes(entries, new Uint8Array(tiled)), 'the bytes that the log has, and no others')
    assert.equal(runRoot(readEntryBundle(entries, RUN)).toBase64(), root)
    assert.equal(Buffer.from(await plc.store.tree.hashes(1, index, 1)).toString('base64'), root)
  }
  for (const path of ['/snapshot/2', '/snapshot/00', '/snapshot/-1', '/snapshot/x', '/snapshot/99999999999'])
    assert.equal((await get(plc, path)).status, 404, path)
})

postgresTest('a bundle of a directory on PostgreSQL', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-snapshot-'))
  try {
    await using plc = await directory(folder, { databaseUrl: await createPostgresDatabase() })
    await grow(plc, RUN)
    const { bundles } = await listOf(plc)
    assert.equal(bundles.length, 1)
    const entries = new Uint8Array(zstdDecompressSync(await (await get(plc, '/snapshot/0')).bytes()))
    assert.ok(equalBytes(entries, await (await get(plc, '/log/tile/entries/000')).bytes()))
    assert.equal(runRoot(readEntryBundle(entries, RUN)).toBase64(), bundles[0]!.root)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what is missing is made again, and what belongs to another log is left alone', async (t) => {
  const folder = temporaryFolder(t)
  const names = () => readdirSync(join(folder, 'snapshot')).toSorted()
  {
    await using plc = await directory(folder)
    await grow(plc, 2 * RUN)
    const kept = names()
    const [first] = kept
    const bytes = readFileSync(join(folder, 'snapshot', first!))
    rmSync(join(folder, 'snapshot', first!))
    assert.equal((await get(plc, '/snapshot/0')).status, 404)
    await plc.snapshots!.idle()
    assert.deepEqual(names(), kept)
    const again = await (await get(plc, '/snapshot/0')).arrayBuffer()
    assert.ok(equalBytes(bytes, new Uint8Array(again)), 'the same bytes')
    rmSync(join(folder, 'snapshot', kept[1]!))
    writeFileSync(join(folder, 'snapshot', '000001-0123456789abcdef.zst'), 'another log')
    writeFileSync(join(folder, 'snapshot', `${kept[1]}.new`), 'cut short by a crash')
  }
  await using plc = await directory(folder)
  await plc.transparencyLog!.publish()
  await plc.snapshots!.idle()
  const { bundles } = await listOf(plc)
  assert.equal(bundles.length, 2)
  assert.equal(names().length, 3)
  assert.equal((await (await get(plc, '/snapshot/1')).arrayBuffer()).byteLength, bundles[1]!.bytes)
})

test('a damaged database is told, and makes no bundle', async (t) => {
  const folder = temporaryFolder(t)
  {
    await using plc = await directory(folder, { snapshots: undefined })
    await Promise.all(Array.from({ length: RUN }, () => register(plc)))
  }
  {
    using db = new DatabaseSync(join(folder, 'plc.sqlite'))
    db.exec('UPDATE operation SET created_at = created_at + 1 WHERE seq = 200')
  }
  const failures: unknown[] = []
  await using plc = await directory(folder, {
    logger: { error: (fields) => void failures.push((fields as { err: Error }).err.message) },
  })
  await plc.snapshots!.idle()
  assert.match(String(failures[0]), /entries from 0 on .* the database is damaged/)
  assert.deepEqual(plc.snapshots!.within(RUN), [])
})

async function runsOf(bytes: Uint8Array, count: number): Promise<number> {
  let runs = 0
  for await (const run of readRuns(chunks(bytes), count)) runs += run.length / RUN
  return runs
}

async function* chunks(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700)
}

test('bytes that are no bundle: cut short, too many, another form, looking back too far, endless', async () => {
  const entries = Array.from({ length: 2 * RUN }, (_, i) => Buffer.from(`entry ${i}`.repeat(1 + (i % 40))))
  const written = writeEntryBundle(entries)
  const bundle = zstdCompressSync(written)
  assert.equal(await runsOf(bundle, 2 * RUN), 2)
  for (const length of [0, 1, 20, bundle.length - 1])
    await assert.rejects(
      runsOf(bundle.subarray(0, length), 2 * RUN),
      /unexpected end of file|it ends after 0/,
    )
  await assert.rejects(runsOf(bundle, RUN), /it holds more than 256 entries/)
  await assert.rejects(runsOf(bundle, 3 * RUN), /it ends after 512 entries and 0 bytes, of 768 entries/)
  await assert.rejects(
    runsOf(zstdCompressSync(written.subarray(0, -1)), 2 * RUN),
    /it ends after 511 entries and \d+ bytes/,
  )
  await assert.rejects(runsOf(written, 2 * RUN), { code: 'ZSTD_error_prefix_unknown' })
  // 8 MiB of window, where ours has 2.
  const wide = zstdCompressSync(Buffer.alloc(9_000_000), { params: { [constants.ZSTD_c_windowLog]: 23 } })
  await assert.rejects(runsOf(wide.subarray(0, 500), RUN), {
    code: /ZSTD_error_frameParameter_windowTooLarge/,
  })
  // Frames of six kilobytes that would each become 64 MiB: over after the first run that was asked for.
  const frame = zstdCompressSync(Buffer.alloc(64 << 20))
  let fed = 0
  async function* bomb() {
    for (; fed < 1000; fed++) yield frame
  }
  await assert.rejects(async () => {
    for await (const _ of readRuns(bomb(), RUN));
  }, /it holds more than 256 entries/)
  assert.ok(fed < 100, `${fed} of the bomb were read`)
})
