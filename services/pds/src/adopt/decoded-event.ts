import { DataError, type DataMap, decode, isDataMap } from '@imago/data'

/** The body of an event as the reference keeps it; `undefined` for one that is damaged. */
export function decodedEvent(bytes: Uint8Array): DataMap | undefined {
  try {
    const body = decode(bytes)
    return isDataMap(body) ? body : undefined
  } catch (error) {
    if (error instanceof DataError) return undefined
    throw error
  }
}
