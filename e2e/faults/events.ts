import { encode } from '@imago/data'
import { sha256 } from '@imago/data/sha256'
import type { TestPds } from '../../services/pds/test/test-pds.ts'
import type { SeenEvent } from './transcript.ts'

export interface StreamedEvent extends SeenEvent {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every type of event
  readonly body: Record<string, any>
}

/** What subscribeRepos tells a reader who has heard everything up to `cursor`. */
export async function eventsOf(pds: TestPds, cursor: number): Promise<StreamedEvent[]> {
  return (await pds.events(cursor)).map(({ type, body }) => ({
    type,
    body,
    seq: body['seq'],
    did: body['did'] ?? body['repo'],
    hash: sha256(encode([type, body])).toHex(),
  }))
}
