/** Times of the reference are ISO 8601 text; ours are milliseconds since the Unix epoch. */

/** @param otherwise for a time that is absent or cannot be read. */
export function timeFromReference(text: string | null | undefined, otherwise: number): number {
  const time = text == null ? Number.NaN : Date.parse(text)
  return Number.isNaN(time) ? otherwise : time
}

export const timeToReference = (timeMs: number) => new Date(timeMs).toISOString()
