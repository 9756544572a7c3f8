import { BlockMap, type BlockSource, Cid } from '@imago/data'
import { MissingBlockError, nodeLinks } from '@imago/repo'
import type { Snapshot } from '../database/database.ts'
import { type PackedRow, packed, unpack } from '../database/packed-rows.ts'
import { CarChunks } from './car-chunks.ts'
import type { RepoHead } from './repo-store.ts'

const CID_BYTES = 36
/** Nodes that an export reads ahead, in bytes: all of them for most repositories. */
const MAX_NODES_AHEAD_BYTES = 16 * 1024 * 1024

const NODE_PAGE = `SELECT ${packed('bytes')}, CAST(group_concat(cid, '') AS BLOB) AS cids
  FROM (SELECT cid, bytes FROM node INDEXED BY node_by_cid WHERE repo = ? AND cid > ? ORDER BY cid LIMIT 500)`
/** CID and bytes of each record side by side, as they stand in a CAR file. */
const RECORD_PAGE = `SELECT max(path) AS last, CAST(group_concat(cid || bytes, '') AS BLOB) AS bytes,
    group_concat(length(cid) + length(bytes)) AS lengths
  FROM (SELECT path, cid, bytes FROM record WHERE repo = ? AND path > ? ORDER BY path LIMIT 500)`

interface NodePageRow extends PackedRow {
  readonly cids: Uint8Array | null
}

interface RecordPageRow extends PackedRow {
  readonly last: string | null
}

/** A node on the path at hand. */
interface Open {
  readonly block: Uint8Array
  readonly links: readonly number[]
  next: number
}

/**
 * The entries of the CAR file of a whole repository, in chunks and in pre-order: the commit, then each node before what
 * hangs from it, in key order. Records lie in that order on disk, so that one sequential read serves them all; of nodes,
 * only the links are looked at. Memory is bounded whatever the size of the repository.
 * @param blocks the same repository, for nodes beyond those that are read ahead.
 * @throws {MissingBlockError} when tree and tables do not agree: our own corruption.
 */
export function* exportCar(
  snapshot: Snapshot,
  repo: number,
  head: RepoHead,
  blocks: BlockSource,
): Generator<Uint8Array, void, undefined> {
  const chunks = new CarChunks()
  const nodes = readAhead(snapshot, repo)
  const records = createRecordReader(snapshot, repo)
  const path: Open[] = []

  const block = (cid: Cid, what: string): Uint8Array => {
    const bytes = nodes.get(cid) ?? blocks.get(cid)
    if (bytes === undefined) throw new MissingBlockError(cid, what)
    return bytes
  }
  const enter = (cid: Cid): void => {
    const bytes = block(cid, 'MST node')
    chunks.addBlock({ cid, bytes })
    path.push({ block: bytes, links: nodeLinks(bytes), next: 0 })
  }

  chunks.addBlock({ cid: head.cid, bytes: block(head.cid, 'commit') })
  enter(head.data)
  for (let open = path.at(-1); open !== undefined; open = path.at(-1)) {
    const link = open.links[open.next++]
    if (link === undefined) path.pop()
    else if (link < 0) enter(new Cid(open.block, ~link))
    else if (!records.addNext(chunks, open.block, link)) {
      const cid = new Cid(open.block, link)
      chunks.addBlock({ cid, bytes: block(cid, 'record') })
    }
    for (let chunk = chunks.take(); chunk !== undefined; chunk = chunks.take()) yield chunk
  }
  yield chunks.rest()
}

/** Nodes, up to a bound. Those beyond are read one by one when the walk comes to them. */
function readAhead(snapshot: Snapshot, repo: number): BlockMap {
  const page = snapshot.prepare(NODE_PAGE)
  const nodes = new BlockMap()
  for (let after = new Uint8Array(0); nodes.byteLength < MAX_NODES_AHEAD_BYTES; ) {
    const row = page.get(repo, after) as unknown as NodePageRow
    const { cids } = row
    if (cids === null) break
    for (const [index, bytes] of unpack(row).entries()) nodes.set(new Cid(cids, index * CID_BYTES), bytes)
    after = new Uint8Array(cids.subarray(-CID_BYTES))
  }
  return nodes
}

/** Reads records one after the other, in the order of their paths. */
function createRecordReader(snapshot: Snapshot, repo: number) {
  const page = snapshot.prepare(RECORD_PAGE)
  let bytes: Buffer = Buffer.alloc(0)
  let lengths: string[] = []
  let index = 0
  let at = 0
  let after: string | null = ''

  function turn(): boolean {
    if (after === null) return false
    const row = page.get(repo, after) as unknown as RecordPageRow
    after = row.last
    if (row.bytes === null || row.lengths === null) return false
    bytes = Buffer.from(row.bytes.buffer, row.bytes.byteOffset, row.bytes.length)
    lengths = row.lengths.split(',')
    index = at = 0
    return true
  }

  return {
    /** Adds the next record to the chunks if it has the CID that stands at `link`. */
    addNext(chunks: CarChunks, block: Uint8Array, link: number): boolean {
      if (index === lengths.length && !turn()) return false
      for (let i = CID_BYTES - 1; i >= 0; i--) if (bytes[at + i] !== block[link + i]) return false
      const end = at + Number(lengths[index++])
      chunks.add(bytes, at, end)
      at = end
      return true
    },
  }
}
