import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Cid } from '@imago/data'
import { createBlockIndex } from './block-index.ts'

const CID_BYTES = 36
/** A length, then the CID. */
const HEAD_BYTES = 4 + CID_BYTES
/** Entries begin at multiples of it, so that 32 bits say where in 64 GB. */
const ALIGNMENT = 16
/** Written at a time. Fewer than that stay in memory. */
const WRITE_BYTES = 512 * 1024
/** Read at first: nearly all blocks of a repository are shorter. */
const READ_BYTES = 2048
/** What was read is handed out as parts of one piece of memory, in which most of what is used at a time finds room. */
const LENT_BYTES = 256 * 1024

/** Blocks in a file of their own, by CID: first they are put in, then looked up. */
export interface BlockFile extends Disposable {
  /** Takes a copy. */
  set(cid: Cid, bytes: Uint8Array): void
  /** Comes between the two: nothing may be put in afterwards, and nothing is found before. */
  seal(): Promise<void>
  /** Good until {@link BlockFile.reuse}. */
  get(cid: Cid): Uint8Array | undefined
  /** Says that nobody looks any more at what `get` gave. */
  reuse(): void
}

/**
 * A temporary file to which blocks are appended, and another one that says where. Together they take some two megabytes of
 * memory while they are filled, and as much while they are read, however many blocks they are. They are made when they are
 * needed, and never wait for the disk. Disposing of it removes both.
 * @throws {Error} of the file system, from every operation: `ENOSPC` where the disk is full.
 */
export function createBlockFile(path: string): BlockFile {
  const index = createBlockIndex(`${path}.index`)
  let file: number | undefined
  let pending: Uint8Array = new Uint8Array(WRITE_BYTES)
  let pendingBytes = 0
  let writtenBytes = 0
  let lent: Uint8Array = new Uint8Array(0)
  let lentBytes = 0

  function open(): number {
    mkdirSync(dirname(path), { recursive: true })
    return openSync(path, 'w+')
  }

  function flush(): void {
    file ??= open()
    for (let at = 0; at < pendingBytes; ) at += writeSync(file, pending, at, pendingBytes - at)
    writtenBytes += pendingBytes
    pendingBytes = 0
  }

  /** Where it is, in units of {@link ALIGNMENT}. */
  function append(cid: Cid, bytes: Uint8Array): number {
    const padded = Math.ceil((HEAD_BYTES + bytes.length) / ALIGNMENT) * ALIGNMENT
    if (pendingBytes + padded > pending.length && pendingBytes > 0) flush()
    if (padded > pending.length) pending = new Uint8Array(padded)
    writeEntry(pending, pendingBytes, cid, bytes)
    const at = writtenBytes + pendingBytes
    pendingBytes += padded
    return at / ALIGNMENT
  }

  /** Bytes of the file from `at` on, `length` of them or up to its end, in memory that is free. */
  function read(at: number, length: number): Uint8Array {
    if (file === undefined) return pending.subarray(at, Math.min(at + length, pendingBytes))
    if (lentBytes + length > lent.length) {
      lent = new Uint8Array(Math.max(LENT_BYTES, lent.length, 2 * length))
      lentBytes = 0
    }
    return lent.subarray(lentBytes, lentBytes + readSync(file, lent, lentBytes, length, at))
  }

  return {
    set(cid, bytes) {
      index.add(cid, append(cid, bytes))
    },
    async seal() {
      if (file !== undefined) {
        flush()
        pending = new Uint8Array(0)
      }
      await index.seal()
    },
    get(cid) {
      const place = index.find(cid)
      if (place === undefined) return undefined
      const at = place * ALIGNMENT
      let entry = read(at, READ_BYTES)
      if (!cid.isAt(entry, 4)) return undefined
      const size = HEAD_BYTES + (entry[0]! | (entry[1]! << 8) | (entry[2]! << 16) | (entry[3]! << 24))
      if (size > entry.length) entry = read(at, size)
      if (entry.length < size) throw new Error(`${path} ends within the block ${cid}`)
      lentBytes += size
      return entry.subarray(HEAD_BYTES, size)
    },
    reuse() {
      lentBytes = 0
    },
    [Symbol.dispose]() {
      index[Symbol.dispose]()
      pending = new Uint8Array(0)
      if (file === undefined) return
      closeSync(file)
      file = undefined
      rmSync(path, { force: true })
    },
  }
}

function writeEntry(target: Uint8Array, at: number, cid: Cid, bytes: Uint8Array): void {
  const { length } = bytes
  target[at] = length
  target[at + 1] = length >> 8
  target[at + 2] = length >> 16
  target[at + 3] = length >> 24
  cid.writeTo(target, at + 4)
  target.set(bytes, at + HEAD_BYTES)
}
