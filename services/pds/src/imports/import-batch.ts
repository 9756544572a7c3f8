import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Block } from '@imago/data'
import type { VerifiedRecordBlock } from '@imago/repo'
import type { ImportHeldBlocks } from './held-blocks.ts'
import type { StagedRecord, Staging } from './import-store.ts'
import { importedRecord } from './imported-record.ts'
import { InvalidImportError } from './invalid-import-error.ts'

/** One transaction of staged blocks, which everybody else waits for: some milliseconds. */
const BATCH_BLOCKS = 500
const BATCH_BYTES = 512 * 1024

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
 * @param held whence some of them may come.
 * @param counts are kept up to date.
 * @param maxBytes of all blocks.
 */
export function createImportBatch(
  staging: Staging,
  held: Pick<ImportHeldBlocks, 'isInFile'>,
  counts: ImportCounts,
  maxBytes: number,
): ImportBatch {
  const { present } = staging
  let knownNodes = present.nodes
  let knownRecords = present.records
  // Of blocks out of a file, copies in memory that is used again and again. What they came in lives as short as it can:
  // what outlives two collections lies about until one of another kind, by the dozens of megabytes.
  let copies: Uint8Array | undefined
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
    if (!held.isInFile) return block
    copies ??= new Uint8Array(BATCH_BYTES)
    if (copied + block.length > copies.length) return block.slice()
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
      nodes.push({ cid: node.cid, bytes: copyOf(node.bytes) })
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
      records.push(importedRecord({ path, cid, bytes: copyOf(record.bytes) }))
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
