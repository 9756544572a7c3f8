import type { Block } from './block-map.ts'
import { concatBytes } from './bytes.ts'
import type { Cid } from './cid.ts'
import { encode } from './encode.ts'
import { encodeVarint } from './multibase.ts'

/**
 * A CAR v1 file in memory: its header, then the blocks in the order given.
 * @param roots the first is the commit; none is legal, as in an answer of `getBlocks`.
 * @see https://atproto.com/specs/repository#car-file-serialization
 */
export function writeCar(roots: readonly Cid[], blocks: Iterable<Block>): Uint8Array {
  const parts = [carHeader(roots)]
  for (const { cid, bytes } of blocks)
    parts.push(encodeVarint(cid.bytes.length + bytes.length), cid.bytes, bytes)
  return concatBytes(parts)
}

/** How a CAR v1 file begins, for writers that stream: {@link carEntry} makes the rest. */
export function carHeader(roots: readonly Cid[]): Uint8Array {
  const header = encode({ roots: [...roots], version: 1 })
  return concatBytes([encodeVarint(header.length), header])
}

/** One block as it stands in a CAR file. */
export function carEntry({ cid, bytes }: Block): Uint8Array {
  return concatBytes([encodeVarint(cid.bytes.length + bytes.length), cid.bytes, bytes])
}
