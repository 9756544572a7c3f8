import type { Nsid } from '@imago/syntax'

const MAX_ENTRIES = 500
/** Schemas change seldom, and only by what old records still fit. */
const FRESH_MS = 3_600_000
/** That there is none: somebody may be about to publish it. */
const ABSENT_MS = 300_000
/** That it could not be had: enough for a flood of writes not to become a flood of questions. */
const FAILED_MS = 10_000

interface Entry<T> {
  readonly value: Promise<T>
  /** While it is being asked for, it does not expire. */
  expiresAt: number
}

/** Answers about schemas, good and bad ones. One question about each is under way at a time, and all who ask share it. */
export interface LexiconCache<T> {
  get(nsid: Nsid, ask: () => Promise<T>): Promise<T>
}

/** @param options.isLasting whether an error says that there is no schema, rather than that it could not be had. */
export function createLexiconCache<T>(options: {
  now: () => number
  isLasting: (error: unknown) => boolean
}): LexiconCache<T> {
  const { now, isLasting } = options
  // In order of last use, the oldest first.
  const entries = new Map<Nsid, Entry<T>>()

  function ask(question: () => Promise<T>): Entry<T> {
    const entry: Entry<T> = { value: question(), expiresAt: Number.POSITIVE_INFINITY }
    entry.value.then(
      () => {
        entry.expiresAt = now() + FRESH_MS
      },
      (error) => {
        entry.expiresAt = now() + (isLasting(error) ? ABSENT_MS : FAILED_MS)
      },
    )
    return entry
  }

  return {
    get(nsid, question) {
      const known = entries.get(nsid)
      const entry = known !== undefined && known.expiresAt > now() ? known : ask(question)
      entries.delete(nsid)
      entries.set(nsid, entry)
      if (entries.size > MAX_ENTRIES) entries.delete(entries.keys().next().value!)
      return entry.value
    },
  }
}
