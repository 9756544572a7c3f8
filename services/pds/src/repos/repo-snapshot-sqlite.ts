import { BlockMap, type BlockSource, Cid, equalBytes } from '@imago/data'
import { exportRepo } from '@imago/repo'
import type { Snapshot } from '../database/database.ts'
import { type PackedRow, packed, unpack } from '../database/packed-rows.ts'
import type { RepoHead, RepoSnapshot } from './repo-store.ts'

export const NODE = 'SELECT bytes FROM node WHERE repo = ? AND cid = ?'
// Without statistics the planner would rather read the whole repository by its primary key.
export const RECORD_BY_CID =
  'SELECT bytes FROM record INDEXED BY record_by_cid WHERE repo = ? AND cid = ? LIMIT 1'
export const COMMIT_BYTES = 'SELECT commit_bytes AS bytes FROM repo WHERE id = ? AND head = ?'

const RECORD_PAGE = `SELECT max(path) AS last, ${packed('bytes')}, ${packed('cid', 'cid_')}
  FROM (SELECT path, cid, bytes FROM record WHERE repo = ? AND path > ? ORDER BY path LIMIT 500)`
const NODE_PAGE = `SELECT ${packed('bytes')}, ${packed('cid', 'cid_')}
  FROM (SELECT cid, bytes FROM node WHERE repo = ? AND cid > ? ORDER BY cid LIMIT 500)`

/** Nodes that an export reads ahead, in bytes: all of them for most repositories. */
const MAX_NODES_AHEAD_BYTES = 16 * 1024 * 1024
const CID_BYTES = 36

interface PageRow extends PackedRow {
  readonly cid_bytes: Uint8Array | null
  /** Of records. */
  readonly last: string | null
}

interface StoredBlock {
  readonly cid: Uint8Array
  readonly bytes: Uint8Array
}

/** A repository as one read transaction sees it. */
export function createRepoSnapshot(snapshot: Snapshot, repo: number, head: RepoHead): RepoSnapshot {
  const node = snapshot.prepare(NODE)
  const record = snapshot.prepare(RECORD_BY_CID)
  const bytesOf = (row: unknown) => (row as { bytes: Uint8Array } | undefined)?.bytes
  const commitBytes = bytesOf(snapshot.prepare(COMMIT_BYTES).get(repo, head.cid.bytes))!
  const blocks: BlockSource = {
    get: (cid) =>
      cid.equals(head.cid)
        ? commitBytes
        : (bytesOf(node.get(repo, cid.bytes)) ?? bytesOf(record.get(repo, cid.bytes))),
  }
  return {
    head,
    blocks,

    export() {
      const nodes = readAhead(snapshot, repo)
      const records = recordsInOrder(snapshot, repo)
      let next = records.next()
      // The walk asks for records in the order of their paths, in which they lie: one sequential read serves them all.
      return exportRepo(
        {
          get(cid) {
            if (next.done || !equalBytes(next.value.cid, cid.bytes)) return nodes.get(cid) ?? blocks.get(cid)
            const { bytes } = next.value
            next = records.next()
            return bytes
          },
        },
        head.cid,
      )
    },

    *exportSince(since) {
      if (head.rev <= since) return
      yield { cid: head.cid, bytes: commitBytes }
      for (const table of ['node', 'record']) {
        const added = snapshot.prepare(`SELECT cid, bytes FROM ${table} WHERE repo = ? AND rev > ?`)
        for (const { cid, bytes } of added.iterate(repo, since) as Iterable<unknown> as Iterable<StoredBlock>)
          yield { cid: new Cid(cid), bytes }
      }
    },

    [Symbol.dispose]: () => snapshot[Symbol.dispose](),
  }
}

/** Nodes, up to a bound. Those beyond are read one by one when the walk comes to them. */
function readAhead(snapshot: Snapshot, repo: number): BlockMap {
  const page = snapshot.prepare(NODE_PAGE)
  const nodes = new BlockMap()
  for (let after = new Uint8Array(0); nodes.byteLength < MAX_NODES_AHEAD_BYTES; ) {
    const blocks = blocksOf(page.get(repo, after) as unknown as PageRow)
    if (blocks.length === 0) break
    for (const { cid, bytes } of blocks) nodes.set(new Cid(cid), bytes)
    after = new Uint8Array(blocks.at(-1)!.cid)
  }
  return nodes
}

function* recordsInOrder(snapshot: Snapshot, repo: number): Generator<StoredBlock, undefined> {
  const page = snapshot.prepare(RECORD_PAGE)
  for (let after = ''; ; ) {
    const row = page.get(repo, after) as unknown as PageRow
    if (row.last === null) return undefined
    yield* blocksOf(row)
    after = row.last
  }
}

function blocksOf(row: PageRow): StoredBlock[] {
  return unpack(row).map((bytes, index) => ({
    cid: row.cid_bytes!.subarray(index * CID_BYTES, (index + 1) * CID_BYTES),
    bytes,
  }))
}
