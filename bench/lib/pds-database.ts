import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { importKeypair, type Keypair } from '@imago/crypto'
import { type Block, type Cid, cidOfDrisl, encode } from '@imago/data'
import { openSqliteLog } from '@imago/log/sqlite'
import { Mst, signCommit } from '@imago/repo'
import { createRandom, type Random } from '@imago/sim/random'
import type { Did, Tid } from '@imago/syntax'
import { createSqliteAccountStore } from '../../services/pds/src/accounts/account-store-sqlite.ts'
import { openDatabase } from '../../services/pds/src/database/database.ts'
import type { NewHead, RecordChange } from '../../services/pds/src/repos/repo-store.ts'
import { createSqliteRepoStore } from '../../services/pds/src/repos/repo-store-sqlite.ts'
import { anyDid, anyRecord, anyTid } from '../inputs/records.ts'

const GENESIS_REV = '3kzzzzzzzzz2a' as Tid
const REV = '3lzzzzzzzzz2a' as Tid
/** Accounts share so many different contents: making each its own would take longer than the benchmark. */
const CONTENTS = 16

export interface FullDatabase {
  /** Accounts that have records, in order of creation. */
  readonly dids: readonly Did[]
  /** Of each of them: where its records lie. */
  pathsOf(index: number): readonly string[]
}

interface Content {
  readonly paths: readonly string[]
  readonly tree: Mst
  readonly nodes: readonly Block[]
  readonly records: readonly RecordChange[]
}

/**
 * Fills a data directory of our PDS: `accounts` accounts, of which the first `withRecords` have `recordsEach` records.
 * Written through the server's own stores, which only do not wait for the disk; the same every time.
 */
export async function writeFullDatabase(
  folder: string,
  { accounts, withRecords, recordsEach }: { accounts: number; withRecords: number; recordsEach: number },
): Promise<FullDatabase> {
  mkdirSync(folder, { recursive: true })
  using database = openDatabase(join(folder, 'pds.sqlite'))
  database.sqlite.exec('PRAGMA synchronous = OFF')
  await using log = openSqliteLog(database.sqlite, { table: 'event', now: Date.now })
  const repos = createSqliteRepoStore(database, log)
  const accountStore = createSqliteAccountStore(database, log, repos, () => {})
  const random = createRandom(11)
  const contents = Array.from({ length: CONTENTS }, () => contentOf(random, recordsEach))
  const empty = Mst.empty()
  const dids: Did[] = []
  for (let index = 0; index < accounts; index++) {
    const did = anyDid(random)
    const secret = random.bytes(32)
    const keypair = importKeypair('k256', secret)
    const genesis = headOf(did, empty.root, GENESIS_REV, keypair)
    await accountStore.create({
      did,
      handle: `account${index}.test`,
      email: `account${index}@example.com`,
      passwordHash: '',
      createdAt: index,
      repo: { did, signingKey: secret, head: genesis, nodes: empty.nodes(), status: undefined },
      events: [],
    })
    if (index >= withRecords) continue
    dids.push(did)
    const { tree, nodes, records } = contents[index % CONTENTS]!
    const head = headOf(did, tree.root, REV, keypair)
    const [outcome] = await repos.commit([
      {
        did,
        expectedHead: genesis.cid,
        head,
        addedNodes: nodes,
        removedNodes: [empty.root],
        records,
        events: [],
      },
    ])
    if (!outcome?.ok) throw new Error(`the records of ${did} could not be written: ${outcome?.reason}`)
  }
  return { dids, pathsOf: (index) => contents[index % CONTENTS]!.paths }
}

function headOf(did: Did, data: Cid, rev: Tid, keypair: Keypair): NewHead {
  const { cid, bytes } = signCommit({ did, data, rev }, keypair)
  return { cid, rev, data, commitBytes: bytes }
}

function contentOf(random: Random, count: number): Content {
  const records = Array.from({ length: count }, () => {
    const { collection, record } = anyRecord(random)
    const bytes = encode(record)
    return {
      path: `${collection}/${anyTid(random)}`,
      cid: cidOfDrisl(bytes),
      bytes,
      replaces: false,
      blobs: [],
    }
  })
  const tree = Mst.from(records.map(({ path, cid }) => [path, cid] as const))
  return { paths: records.map(({ path }) => path), tree, nodes: [...tree.nodes()], records }
}
