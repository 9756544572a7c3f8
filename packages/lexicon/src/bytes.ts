import { decode, RECORD_LIMITS } from '@imago/data'
import type { Catalog } from './catalog.ts'
import type { Issue, Mode } from './issue.ts'
import { createVouchers } from './lib/compile-bytes.ts'
import { cursorOf } from './lib/drisl-cursor.ts'
import { createResolver } from './lib/resolve.ts'

/**
 * What `check(decode(bytes), mode)` says, without making the value of bytes that are valid, which nearly all are.
 * @throws {DataError} when they are not canonical DRISL-CBOR, or more than a record may be.
 */
export type BytesCheck = (bytes: Uint8Array, mode?: Mode) => Issue | undefined

/**
 * Checks of records, and of other definitions, that are still encoded: for whoever judges what passes by (a relay, an
 * importing host) and need not look inside. Answers `undefined` for what the catalog has no schema of.
 *
 * A walk over the bytes vouches for those that are valid. Where it cannot, which includes some that are valid in an
 * unusual way, the bytes are decoded and judged as any value: so verdicts and words are those of the catalog.
 */
export function createBytesChecks(catalog: Catalog): (ref: string) => BytesCheck | undefined {
  const resolver = createResolver(catalog.nsids.map((nsid) => catalog.document(nsid)!))
  const vouchers = createVouchers(RECORD_LIMITS)
  const made = new Map<string, BytesCheck>()

  return (ref) => {
    const known = made.get(ref)
    if (known) return known
    const definition = resolver.definition(ref)
    const schema = catalog.def(ref)
    if (!definition || !schema) return undefined
    const vouch = vouchers(definition)
    const check: BytesCheck = (bytes, mode = 'strict') => {
      const cursor = cursorOf(bytes)
      if (bytes.length <= RECORD_LIMITS.maxBytes && vouch(cursor, mode, 0) && cursor.at === bytes.length)
        return undefined
      return schema.check(decode(bytes, RECORD_LIMITS), mode)
    }
    made.set(ref, check)
    return check
  }
}
