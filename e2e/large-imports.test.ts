// Repositories in the worst order, and files that are made to fill memory, through a real process: what they cost does not
// grow with them.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Block, BlockMap, carEntry, cidOfDrisl, type DataMap, encode } from '@imago/data'
import { Mst, signCommit } from '@imago/repo'
import { infrastructureTest } from '@imago/sim/infrastructure'
import { carInChunks, repositoryCar } from '../bench/inputs/repository-car.ts'
import { createPdsClient } from '../bench/lib/pds-client.ts'
import { type Owner, type Sent, sendFile } from '../bench/lib/pds-migration.ts'
import { startOurPds, startPlc } from './reference-pds.ts'

/**
 * The bar is 64 MiB; measured: 40 to 50, of which nearly all is what a server takes under any load. For the second of these
 * an index in memory would take 30 to 50 more.
 */
const MAX_GROWTH_BYTES = 80 * 2 ** 20

const LIMITS = { PDS_MAX_REPO_IMPORT_SIZE: '200000000' }

const missing = existsSync('/proc/self/status')
  ? undefined
  : 'this system does not tell the memory of a process'

/** Sends a file to a server that has done nothing before. */
async function sent(fileOf: (owner: Owner) => Iterable<Uint8Array>): Promise<Sent> {
  const folder = mkdtempSync(join(tmpdir(), 'imago-large-import-'))
  try {
    await using plc = await startPlc(folder)
    const data = join(folder, 'pds')
    await using pds = await startOurPds({ folder: data, plcUrl: plc.url, env: LIMITS })
    const newcomer = { name: 'newcomer', plcUrl: plc.url, serverPid: pds.pid, fileOf }
    const answer = await sendFile(createPdsClient(pds.url), newcomer)
    const growth = answer.peakBytes - answer.beforeBytes
    assert.ok(growth < MAX_GROWTH_BYTES, `it took ${growth} bytes`)
    const waiting = join(data, 'imports')
    assert.deepEqual(
      existsSync(waiting) ? readdirSync(waiting) : [],
      [],
      'nothing is left of what had to wait',
    )
    return answer
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

infrastructureTest('[R8] 100,000 records come in though they come in the worst order', missing, async () => {
  const records = 100_000
  const { refusal, ...taken } = await sent((owner) =>
    repositoryCar({ seed: 1, records, owner }).chunks('shuffled'),
  )
  assert.deepEqual([refusal, taken.records], [undefined, records])
})

/** As small as they can be, and nobody refers to them. */
function* tinyBlocks(count: number): Generator<Block> {
  for (let n = 0; n < count; n++) {
    const bytes = encode(n)
    yield { cid: cidOfDrisl(bytes), bytes }
  }
}

infrastructureTest(
  '[R8] a repository comes in though it comes after two million tiny blocks',
  missing,
  async () => {
    const { refusal, records } = await sent(function* (owner) {
      const { head, blocks } = repositoryCar({ seed: 2, records: 500, owner })
      yield* carInChunks(head, tinyBlocks(2_000_000))
      // Without another header.
      for (const block of blocks) yield carEntry(block)
    })
    assert.deepEqual([refusal, records], [undefined, 500])
  },
)

infrastructureTest('[R8] files that come to far more than they hold are refused', missing, async () => {
  const large = { $type: 'com.example.note', text: 'x'.repeat(900_000) }
  const many = await sent((owner) =>
    fileOf(
      owner,
      Array.from({ length: 300 }, () => large),
    ),
  )
  assert.match(String(many.refusal), /comes to more than 200000000 bytes/)
  assert.equal(many.records, 0)
})

/** Records, under keys that ascend. */
function fileOf({ did, keypair }: Owner, records: readonly DataMap[]): Iterable<Uint8Array> {
  const blocks = new BlockMap()
  const tree = Mst.from(
    records.map(
      (record, n) => [`com.example.note/${String(n).padStart(6, '0')}`, blocks.add(encode(record))] as const,
    ),
  )
  const commit = signCommit({ did, data: tree.root, rev: '3m4zzzzzzzz2a' }, keypair)
  return carInChunks(commit.cid, blocks.set(commit.cid, commit.bytes).addAll(tree.nodes()))
}
