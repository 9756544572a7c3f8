import type { Did } from '@imago/syntax'
import { atprotoData } from './atproto-data.ts'
import type { DidDocument } from './did-document.ts'
import type { DidResolver } from './did-resolver.ts'
import { IdentityError } from './identity-error.ts'

/** A document that a host has served. */
export interface SeenDocument {
  readonly document: DidDocument
  /** When it was served last, in milliseconds since the Unix epoch. */
  readonly seenAt: number
}

/**
 * What has become of an identity that only a domain stands for: another key or server, or no document at all. Whoever
 * takes a domain over takes the account over, and nothing but a memory of what was there before can tell.
 */
export type DidWebAlarm =
  | {
      readonly kind: 'signingKey' | 'pds' | 'handle'
      readonly before: string | undefined
      readonly after: string | undefined
    }
  | { readonly kind: 'lost'; readonly error: IdentityError }

/**
 * Where the last good documents are kept, one for each DID. It is bounded: those that were put least recently go first.
 */
export interface DidWebHistory {
  /** What was put last, also where that is not durable yet. */
  last(did: Did): Promise<SeenDocument | undefined>
  /**
   * Takes the place of what was put before. It need not be durable when this resolves: what a crash takes along comes to
   * an alarm that is raised again, or to one less for a host that was seen for the first time. A document that has no
   * text, or is larger than the whole history may be, changes nothing.
   */
  put(did: Did, seen: SeenDocument): Promise<void>
}

export interface DidWebHistoryBounds {
  /** Documents. Default 10 000. */
  readonly maxDocuments?: number
  /** Of their text in UTF-8. Default 16 MiB, which is 1.6 kB for each of as many as there may be. */
  readonly maxBytes?: number
}

export const DEFAULT_HISTORY_BOUNDS: Required<DidWebHistoryBounds> = {
  maxDocuments: 10_000,
  maxBytes: 16 * 1024 * 1024,
}

/** The JSON text of a document; `undefined` for one that is nested too deeply to be written. */
export function documentText(document: DidDocument): string | undefined {
  try {
    return JSON.stringify(document)
  } catch {
    return undefined
  }
}

export interface DidWebHistoryOptions {
  readonly history: DidWebHistory
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** Told of each change once, and of each time that the host had no document. Must not throw. */
  readonly onAlarm: (did: Did, alarm: DidWebAlarm) => void
  /** For so long the last good document stands in for a host that does not answer. Default 7 days. */
  readonly keepMs?: number
}

const DAY_MS = 24 * 60 * 60 * 1000

/** How the two documents differ in what atproto reads there. Pure. */
export function compareDocuments(before: DidDocument, after: DidDocument): DidWebAlarm[] {
  const [was, is] = [atprotoData(before), atprotoData(after)]
  return (['signingKey', 'pds', 'handle'] as const)
    .filter((kind) => was[kind] !== is[kind])
    .map((kind) => ({ kind, before: was[kind], after: is[kind] }))
}

/**
 * A resolver that remembers what hosts said about their did:webs, which have neither history nor recovery of their own.
 * Where a host cannot be asked the last good document stands in; where it says that there is none, that counts.
 */
export function withDidWebHistory(resolver: DidResolver, options: DidWebHistoryOptions): DidResolver {
  const { history, now, onAlarm, keepMs = 7 * DAY_MS } = options

  async function lastGood(did: Did, error: IdentityError): Promise<DidDocument> {
    const last = await history.last(did)
    if (last === undefined) throw error
    if (error.isDefinitive || error.code === 'InvalidDocument') onAlarm(did, { kind: 'lost', error })
    if (error.isDefinitive || now() - last.seenAt >= keepMs) throw error
    return last.document
  }

  return {
    async resolve(did, resolving) {
      if (!did.startsWith('did:web:')) return await resolver.resolve(did, resolving)
      let document: DidDocument
      try {
        document = await resolver.resolve(did, resolving)
      } catch (error) {
        if (error instanceof IdentityError) return await lastGood(did, error)
        throw error
      }
      const last = await history.last(did)
      await history.put(did, { document, seenAt: now() })
      if (last !== undefined)
        for (const alarm of compareDocuments(last.document, document)) onAlarm(did, alarm)
      return document
    },
  }
}
