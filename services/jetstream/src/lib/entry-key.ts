/**
 * Keys of Jetstream's log: `<topic> <did> <seq>`. The topic is the collection of a commit's record, or one of the words
 * below, which no collection can be. The seq is the relay's, so the newest entry tells where to go on after a crash:
 * event and cursor are one write.
 */
export type Topic = string

export const IDENTITY_TOPIC = '#identity'
export const ACCOUNT_TOPIC = '#account'
/** An entry that nobody is sent: it holds the cursor where no event does. */
export const CURSOR_TOPIC = '#cursor'

const HASH = 0x23
const NOBODY = '-'

/** @param seq of the relay's event that the entry comes from */
export function entryKey(topic: Topic, did: string, seq: number): string {
  return `${topic} ${did} ${seq}`
}

export function cursorKey(seq: number): string {
  return entryKey(CURSOR_TOPIC, NOBODY, seq)
}

/** The collection, or `undefined` for an entry that is not about a record. */
export function collectionOf(key: string): string | undefined {
  return key.charCodeAt(0) === HASH ? undefined : key.slice(0, key.indexOf(' '))
}

export function didOf(key: string): string {
  const start = key.indexOf(' ') + 1
  return key.slice(start, key.indexOf(' ', start))
}

/**
 * The relay's seq.
 * @throws {Error} for a key that is not ours: the folder belongs to another service.
 */
export function upstreamSeqOf(key: string): number {
  const seq = Number(key.slice(key.lastIndexOf(' ') + 1))
  if (Number.isSafeInteger(seq) && seq >= 0 && key.split(' ').length === 3) return seq
  throw new Error(
    `the log holds an entry '${key.slice(0, 80)}', which Jetstream did not write: set JETSTREAM_DATA_DIR to a folder of its own`,
  )
}
