import { type Cid, cidOfDrisl } from '@imago/data'
import { createCborScanner } from './cbor-items.ts'

// Blocks that name each other by hash cannot be mutated: one changed bit, and nothing leads to the block any more. In an
// input a block therefore links to another by its number, and hashes are put in when the input is run.
//
// Such a link has a digest of zeros that ends with the number, whatever its codec. It may only lead to a later block, so
// that there are no circles; one that leads elsewhere stays as it is and leads nowhere.

const MULTIHASH_HEAD = [0x12, 0x20] as const
const DIGEST_BYTES = 32
const DIGEST_OFFSET = 4
const scan = createCborScanner()

/** A copy of the items of a CBOR sequence, one by one. What makes no sense any more is one last item. */
export function splitItems(input: Uint8Array): Uint8Array[] {
  const bytes = Uint8Array.from(input)
  const items: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const found = scan(bytes, at, bytes.length)
    const end = found.count === 0 ? bytes.length : found.end[0]!
    items.push(bytes.subarray(at, end))
    at = end
  }
  return items
}

/** Puts hashes in the place of numbers, from the last item to the first. @returns the CID of each. */
export function linkItems(items: readonly Uint8Array[]): Cid[] {
  const cids: Cid[] = new Array(items.length)
  for (let index = items.length - 1; index >= 0; index--) {
    const item = items[index]!
    const last = item.length - MULTIHASH_HEAD.length - DIGEST_BYTES
    for (let at = 0; at <= last; at++) {
      if (item[at] !== MULTIHASH_HEAD[0] || item[at + 1] !== MULTIHASH_HEAD[1]) continue
      const digest = at + MULTIHASH_HEAD.length
      const target = item[digest + DIGEST_BYTES - 1]!
      if (target <= index || target >= items.length || !isZero(item, digest, digest + DIGEST_BYTES - 1))
        continue
      item.set(cids[target]!.digest, digest)
      at = digest + DIGEST_BYTES - 1
    }
    cids[index] = cidOfDrisl(item)
  }
  return cids
}

/** The inverse, for seeds: one CBOR sequence in which items link to later ones by number. */
export function unlinkItems(items: readonly Uint8Array[]): Uint8Array {
  const hex = items.map((item) => Buffer.from(item).toString('hex'))
  for (const [target, item] of items.entries()) {
    const cid = Buffer.from(cidOfDrisl(item).bytes).toString('hex')
    const number = Buffer.alloc(DIGEST_BYTES)
    number[DIGEST_BYTES - 1] = target
    for (let index = 0; index < target; index++)
      hex[index] = hex[index]!.replaceAll(cid, cid.slice(0, 2 * DIGEST_OFFSET) + number.toString('hex'))
  }
  return Uint8Array.from(Buffer.from(hex.join(''), 'hex'))
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false
  return true
}
