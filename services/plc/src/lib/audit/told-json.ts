import type { PlcData } from '@imago/identity/plc'

/** A line of an audit log, of an export or of a list of notices, as far as anything is known of it. */
export interface ToldLine {
  readonly cid?: unknown
  readonly nullified?: unknown
  readonly createdAt?: unknown
  readonly seq?: unknown
}

/** A list; empty for anything else. */
export function linesOf(text: string | undefined): readonly ToldLine[] {
  const json = text === undefined ? undefined : jsonOf(text)
  return Array.isArray(json) ? json.filter((line) => line !== null && typeof line === 'object') : []
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What `/data` should answer; `undefined` for a DID that has ended. */
export const dataTold = (did: string, data: PlcData | undefined): string | undefined =>
  data === undefined
    ? undefined
    : JSON.stringify({
        did,
        verificationMethods: data.verificationMethods,
        rotationKeys: data.rotationKeys,
        alsoKnownAs: data.alsoKnownAs,
        services: data.services,
      })

/** The same values, whatever the order of keys. */
export function isSameJson(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return sorted(jsonOf(a)) === sorted(jsonOf(b))
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
