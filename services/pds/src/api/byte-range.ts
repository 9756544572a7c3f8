import type { ByteRange } from '@imago/object-store'

const RANGE = /^bytes=(\d*)-(\d*)$/

/**
 * The one range that a `Range` header asks for. `undefined` where there is none, or one that a server may ignore:
 * several ranges, another unit, nonsense.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 */
export function parseRange(header: string | null, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, from, to] = header === null ? [] : (RANGE.exec(header) ?? [])
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined
  if (from === '') {
    const length = Math.min(Number(to), size)
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 }
  }
  const first = Number(from)
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== '' && Number(to) < first) return undefined
  return first >= size ? 'unsatisfiable' : { first, last }
}
