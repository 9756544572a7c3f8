import { type DataMap, isDataMap } from '@imago/data'

/** Collections in which a person says a thing of a subject once: liking twice is liking. */
const ONCE_PER_SUBJECT: ReadonlySet<string> = new Set([
  'app.bsky.feed.like',
  'app.bsky.feed.repost',
  'app.bsky.graph.block',
  'app.bsky.graph.follow',
])

/**
 * What a record is about, where a second one about it should replace the first: a DID, or a reference to a record, of
 * which the URI counts.
 */
export function subjectOf(collection: string, { subject }: DataMap): string | undefined {
  if (!ONCE_PER_SUBJECT.has(collection)) return undefined
  if (typeof subject === 'string') return subject
  const uri = isDataMap(subject) ? subject['uri'] : undefined
  return typeof uri === 'string' ? uri : undefined
}
