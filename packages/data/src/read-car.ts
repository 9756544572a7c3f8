import { BlockMap } from './block-map.ts'
import { type CarLimits, carLimits } from './car-limits.ts'
import type { Cid } from './cid.ts'
import {
  CID_BYTES,
  checkFrame,
  invalidCar,
  lengthBytes,
  parseHeader,
  readLength,
  refuseBlockCount,
  refuseByteCount,
} from './lib/car-format.ts'

/**
 * The roots and blocks of a CAR v1 file that is in memory as a whole. Blocks may come in any order and more than
 * once; the hash of each is checked. Roots may be several (the first is the commit) or none (as `getBlocks`
 * answers), and need not be among the blocks: look before use.
 *
 * Blocks are views of `bytes`; CIDs are copies.
 * @throws {DataError} InvalidCar with the offset of the fault; LimitExceeded.
 * @see https://atproto.com/specs/repository#car-file-serialization
 */
export function readCar(bytes: Uint8Array, limits?: Partial<CarLimits>): { roots: Cid[]; blocks: BlockMap } {
  const bounds = carLimits(limits)
  refuseByteCount(bytes.length, bounds)
  // A Buffer would make Buffers of all blocks.
  const file =
    bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)

  const header = readLength(file, 0, 0, bounds.maxHeaderBytes, 'the header')
  const headerEnd = endOfFrame(file, 0, header, 'the header')
  const roots = parseHeader(file.subarray(headerEnd - header, headerEnd))

  const blocks = new BlockMap()
  const maxFrameBytes = bounds.maxBlockBytes + CID_BYTES
  let count = 0
  for (let at = headerEnd; at < file.length; ) {
    refuseBlockCount(++count, bounds)
    const length = readLength(file, at, at, maxFrameBytes, 'a block')
    const end = endOfFrame(file, at, length, 'a block')
    const cid = checkFrame(file, end - length, end, at)
    blocks.setFrame(file, at, cid)
    at = end
  }
  return { roots, blocks }
}

/** Where the frame at `at` ends, after making sure that it is there. */
function endOfFrame(file: Uint8Array, at: number, length: number, what: string): number {
  const end = at + lengthBytes(length) + length
  if (length < 0 || end > file.length) throw invalidCar(at, `${what} is cut off`)
  return end
}
