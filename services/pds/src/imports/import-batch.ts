import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Block, Cid } from '@imago/data'
import type { VerifiedRecordBlock } from '@imago/repo'
import type { StagedRecord, Staging } from './import-store.ts'
import { importedRecord } from './imported-record.ts'
import { InvalidImportError } from './invalid-import-error.ts'

/** One transaction of staged blocks, which everybody else waits for: some milliseconds. */
const BATCH_BLOCKS = 500
const BATCH_BYTES = 512 * 1024
/** Nodes come as many at a time as one chunk of a file brings. */
const CHUNK_BYTES = 128 * 1024

/** What has come in so far, blocks of an earlier attempt included. */
export interface ImportCounts {
  records: number
  /** Commit, nodes and records. */
  blocks: number
  /** Of the blocks. */
  bytes: number
}

/** Blocks of a tree on their way into the store, some of them at a time. */
export interface ImportBatch {
  addNode(node: Block): void
  /** @throws {InvalidImportError} */
  addRecord(record: VerifiedRecordBlock): void
  readonly isFull: boolean
  /** Then others have their turn. */
  flush(): Promise<void>
}

/**
 * Nodes and records come in the order of the tree, so those that the store has already are the first ones: they are
 * passed over.
 * @param counts are kept up to date.
 * @param maxBytes of all blocks.
 */
export function createImportBatch(staging: Staging, counts: ImportCounts, maxBytes: number): ImportBatch {
  const { present } = staging
  let knownNodes = present.nodes
  let knownRecords = present.records
  // Copies in memory that is used again and again.
  let copies: Uint8Array = new Uint8Array(BATCH_BYTES + CHUNK_BYTES)
  let copied = 0
  let nodes: Block[] = []
  let records: StagedRecord[] = []
  /** Since others had their turn, those passed over included. */
  let blocks = 0
  let bytes = 0
  counts.records = present.records
  counts.blocks = 1 + present.nodes + present.records
  counts.bytes = present.bytes

  function copyOf(block: Uint8Array): Uint8Array {
    if (copied + block.length > copies.length) {
      copies = new Uint8Array(Math.max(copies.length, 2 * block.length))
      copied = 0
    }
    copies.set(block, copied)
    return copies.subarray(copied, (copied += block.length))
  }

  function countIn(block: Uint8Array): void {
    counts.blocks++
    counts.bytes += block.length
    // A file names a large record from many places at the price of one.
    if (counts.bytes > maxBytes)
      throw new InvalidImportError(
        `the repository comes to more than ${maxBytes} bytes: no larger one is taken`,
      )
  }

  return {
    addNode(node) {
      blocks++
      bytes += node.bytes.length
      if (knownNodes > 0) {
        knownNodes--
        return
      }
      nodes.push(new CopiedNode(node.cid, copyOf(node.bytes)))
      countIn(node.bytes)
    },
    addRecord(record) {
      blocks++
      bytes += record.bytes.length
      if (knownRecords > 0) {
        knownRecords--
        return
      }
      const { path, cid } = record
      const imported = importedRecord({ path, cid, bytes: copyOf(record.bytes) })
      records.push(imported)
      // Each is a row of its own.
      blocks += imported.blobs.length
      counts.records++
      countIn(record.bytes)
    },
    get isFull() {
      return blocks >= BATCH_BLOCKS || bytes >= BATCH_BYTES
    },
    async flush() {
      await staging.put(nodes, records)
      nodes = []
      records = []
      copied = 0
      blocks = 0
      bytes = 0
      await nextTurn()
    },
  }
}

/** No object literal, for the reason that `ImportedRecord` is none. */
class CopiedNode implements Block {
  readonly cid: Cid
  readonly bytes: Uint8Array

  constructor(cid: Cid, bytes: Uint8Array) {
    this.cid = cid
    this.bytes = bytes
  }
}
