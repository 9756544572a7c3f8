import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import type { Cid } from '@imago/data'

const CID_BYTES = 36
/** A length, then the CID. */
const HEAD_BYTES = 4 + CID_BYTES
/** Entries begin at multiples of it, so that 32 bits say where in 64 GB. */
const ALIGNMENT = 16
const WRITE_BYTES = 256 * 1024
/** Read at first: nearly all blocks of a repository are shorter. */
const READ_BYTES = 2048
/** What was read is handed out as parts of larger pieces, of which as many are kept as are used at a time. */
const SLAB_BYTES = 64 * 1024
const FIRST_SLOTS = 2 ** 16
const MAX_LOAD = 0.8

/** Blocks in a file of their own, by CID. */
export interface BlockFile extends Disposable {
  set(cid: Cid, bytes: Uint8Array): void
  /** Good until {@link BlockFile.reuse}. */
  get(cid: Cid): Uint8Array | undefined
  /** Says that nobody looks any more at what `get` gave. */
  reuse(): void
}

/**
 * A temporary file to which blocks are appended, and a table in memory that says where: ten to twenty bytes for each block,
 * where the blocks themselves would take hundreds. It never waits for the disk. Disposing of it removes the file.
 * @throws {Error} of the file system, from every operation: `ENOSPC` where the disk is full.
 */
export function createBlockFile(path: string): BlockFile {
  const file = openSync(path, 'w+')
  /** First words of digests, the lower bits of which say the slot. */
  let tags = new Uint32Array(FIRST_SLOTS)
  /** Where entries are, in units of {@link ALIGNMENT}, and 1 more: 0 is a slot that is free. */
  let places = new Uint32Array(FIRST_SLOTS)
  let count = 0
  const pending = new Uint8Array(WRITE_BYTES)
  let pendingBytes = 0
  let writtenBytes = 0
  const scratch = new Uint8Array(READ_BYTES)
  const slabs = [new Uint8Array(SLAB_BYTES)]
  let slabIndex = 0
  let slabAt = 0

  function flush(): void {
    for (let at = 0; at < pendingBytes; ) at += writeSync(file, pending, at, pendingBytes - at)
    writtenBytes += pendingBytes
    pendingBytes = 0
  }

  function append(cid: Cid, bytes: Uint8Array): number {
    const size = HEAD_BYTES + bytes.length
    const padded = Math.ceil(size / ALIGNMENT) * ALIGNMENT
    if (pendingBytes + padded > pending.length) flush()
    const at = writtenBytes + pendingBytes
    if (padded > pending.length) {
      const entry = new Uint8Array(padded)
      writeEntry(entry, 0, cid, bytes)
      for (let done = 0; done < padded; ) done += writeSync(file, entry, done, padded - done)
      writtenBytes += padded
    } else {
      writeEntry(pending, pendingBytes, cid, bytes)
      pendingBytes += padded
    }
    return at / ALIGNMENT + 1
  }

  /** The bytes of the file from `at` on, `length` of them or up to its end. Good until the next call. */
  function read(at: number, length: number): Uint8Array {
    if (at >= writtenBytes) return pending.subarray(at - writtenBytes, at - writtenBytes + length)
    const target = length <= scratch.length ? scratch : new Uint8Array(length)
    return target.subarray(0, readSync(file, target, 0, length, at))
  }

  /** The block at a place if it is the one meant. Good until the next call. */
  function blockAt(place: number, cid: Cid): Uint8Array | undefined {
    const at = (place - 1) * ALIGNMENT
    let entry = read(at, READ_BYTES)
    if (!cid.isAt(entry, 4)) return undefined
    const size = HEAD_BYTES + (entry[0]! | (entry[1]! << 8) | (entry[2]! << 16) | (entry[3]! << 24))
    if (size > entry.length) entry = read(at, size)
    if (entry.length < size) throw new Error(`${path} ends within the block ${cid}`)
    return entry.subarray(HEAD_BYTES, size)
  }

  function kept(bytes: Uint8Array): Uint8Array {
    if (bytes.length > SLAB_BYTES / 4) return bytes.slice()
    if (slabAt + bytes.length > SLAB_BYTES) {
      slabIndex++
      slabAt = 0
    }
    const slab = (slabs[slabIndex] ??= new Uint8Array(SLAB_BYTES))
    slab.set(bytes, slabAt)
    return slab.subarray(slabAt, (slabAt += bytes.length))
  }

  /** The slot of a block, or the free one where it would be. The block is good until the next call. */
  function find(cid: Cid): { slot: number; block: Uint8Array | undefined } {
    const mask = places.length - 1
    for (let slot = cid.w0 & mask; ; slot = (slot + 1) & mask) {
      const place = places[slot]!
      if (place === 0) return { slot, block: undefined }
      if (tags[slot] !== cid.w0 >>> 0) continue
      const block = blockAt(place, cid)
      if (block !== undefined) return { slot, block }
    }
  }

  function grow(): void {
    const [oldTags, oldPlaces] = [tags, places]
    tags = new Uint32Array(2 * oldTags.length)
    places = new Uint32Array(2 * oldPlaces.length)
    const mask = places.length - 1
    for (let i = 0; i < oldPlaces.length; i++) {
      const place = oldPlaces[i]!
      if (place === 0) continue
      let slot = oldTags[i]! & mask
      while (places[slot] !== 0) slot = (slot + 1) & mask
      tags[slot] = oldTags[i]!
      places[slot] = place
    }
  }

  return {
    set(cid, bytes) {
      if (count >= MAX_LOAD * places.length) grow()
      const { slot, block } = find(cid)
      if (block !== undefined) return
      places[slot] = append(cid, bytes)
      tags[slot] = cid.w0
      count++
    },
    get(cid) {
      const { block } = find(cid)
      return block && kept(block)
    },
    reuse() {
      slabs.length = slabIndex + 1
      slabIndex = 0
      slabAt = 0
    },
    [Symbol.dispose]() {
      closeSync(file)
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
