/** Where the items of a CBOR document lie: one entry per item, parents before their children. */
export interface CborItems {
  readonly count: number
  /** Offset of the first byte of each item's head. */
  readonly start: Int32Array
  /** Offset behind each item's head. */
  readonly headEnd: Int32Array
  /** Offset behind each item, children included. */
  readonly end: Int32Array
  /** Index of the array, map or tag around each item; −1 for the outermost. */
  readonly parent: Int32Array
}

const MAX_ITEMS = 512
const MAX_DEPTH = 64

/**
 * Makes a scanner that finds the items in bytes which need not be well-formed: it stops where they cease to make sense, and
 * clamps what promises more than is there. The answer is overwritten by the next scan.
 * @see https://www.rfc-editor.org/rfc/rfc8949#section-3
 */
export function createCborScanner(): (bytes: Uint8Array, offset: number, end: number) => CborItems {
  const items = {
    count: 0,
    start: new Int32Array(MAX_ITEMS),
    headEnd: new Int32Array(MAX_ITEMS),
    end: new Int32Array(MAX_ITEMS),
    parent: new Int32Array(MAX_ITEMS),
  }

  /** @returns the offset behind the item, or −1 where there is none. */
  function scan(bytes: Uint8Array, offset: number, limit: number, parent: number, depth: number): number {
    if (offset >= limit || depth > MAX_DEPTH || items.count === MAX_ITEMS) return -1
    const initial = bytes[offset]!
    const major = initial >> 5
    const info = initial & 31
    const width = info < 24 ? 0 : info < 28 ? 1 << (info - 24) : -1
    const headEnd = offset + 1 + Math.max(width, 0)
    if (width < 0 || headEnd > limit) return -1
    let argument = width === 0 ? info : 0
    for (let i = offset + 1; i < headEnd; i++) argument = argument * 256 + bytes[i]!

    const index = items.count++
    items.start[index] = offset
    items.headEnd[index] = headEnd
    items.parent[index] = parent
    let end = headEnd
    if (major === 2 || major === 3) end = Math.min(headEnd + argument, limit)
    else if (major >= 4 && major <= 6)
      for (let child = major === 6 ? 1 : major === 5 ? 2 * argument : argument; child > 0; child--) {
        const next = scan(bytes, end, limit, index, depth + 1)
        if (next < 0) break
        end = next
      }
    items.end[index] = end
    return end
  }

  return (bytes, offset, end) => {
    items.count = 0
    scan(bytes, offset, end, -1, 0)
    return items
  }
}
