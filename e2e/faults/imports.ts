import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { readCar } from '@imago/data'
import { parseCommit } from '@imago/repo'
import type { Did } from '@imago/syntax'
import { importCar } from '../../services/pds/test/arrival.ts'
import type { TestPds } from '../../services/pds/test/test-pds.ts'
import { DATA } from './scene.ts'

const CAR = 'repo.car'

export const carPath = (root: string): string => join(root, CAR)

export const carOf = (root: string): Uint8Array => new Uint8Array(readFileSync(carPath(root)))

/** Sends a repository; throws unless it is taken in. Returns how many of its blocks an earlier attempt had brought. */
export async function sendRepo(pds: TestPds, token: string, body: Uint8Array): Promise<number> {
  const logged = pds.logged.length
  const { status, body: answer } = await importCar(pds, token, body)
  if (status !== 200) throw new Error(`importRepo: ${status} ${JSON.stringify(answer)}`)
  const said = pds.logged
    .slice(logged)
    .map((line) => JSON.parse(line))
    .find(({ msg }) => msg === 'imported a repository')
  return said.resumedBlocks
}

/** What an import that broke off has left, in blocks; 0 where there is nothing to go on with. */
export const leftOver = (root: string, did: Did): number =>
  inDatabase(root, (database) => {
    const row = database
      .prepare('SELECT nodes + records AS blocks FROM unfinished_import WHERE did = ?')
      .get(did) as { blocks: number } | undefined
    return row?.blocks ?? 0
  })

/** That a repository that was taken in stands beyond the revision that it came with, and that nothing lies beside it. */
export async function assertTakenIn(pds: TestPds, root: string, did: Did): Promise<void> {
  const { roots, blocks } = readCar(carOf(root))
  const { rev } = parseCommit(blocks.get(roots[0]!)!)
  const { body } = await pds.query('com.atproto.sync.getLatestCommit', { params: { did } })
  assert.ok(body.rev > rev, `${body.rev} is beyond ${rev}, with which it came`)
  await assertSwept(pds, root)
}

/** That nothing of any import lies about any more. What is of no use goes in the background. */
async function assertSwept(pds: TestPds, root: string): Promise<void> {
  await pds.pds.maintain()
  for (let turn = 0; turn < 1000 && remnants(root) > 0; turn++)
    await new Promise((resolve) => setImmediate(resolve))
  assert.equal(remnants(root), 0, 'no row of an import is left')
  const folder = join(root, DATA, 'imports')
  assert.deepEqual(existsSync(folder) ? readdirSync(folder) : [], [], 'no block of an import is left')
}

const remnants = (root: string): number =>
  inDatabase(root, (database) => {
    const stray = ['node', 'record', 'record_blob', 'backlink'].map(
      (table) => `(SELECT count(*) FROM ${table} WHERE repo NOT IN (SELECT id FROM repo))`,
    )
    const row = database
      .prepare(
        `SELECT (SELECT count(*) FROM repo_remnant) + (SELECT count(*) FROM unfinished_import) + ${stray.join(' + ')} AS n`,
      )
      .get() as { n: number }
    return row.n
  })

function inDatabase<T>(root: string, work: (database: DatabaseSync) => T): T {
  using database = new DatabaseSync(join(root, DATA, 'pds.sqlite'), { readOnly: true })
  return work(database)
}
