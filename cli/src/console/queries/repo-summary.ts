import { com } from '@imago/atproto'
import { readCar } from '@imago/data'
import { verifyRepo } from '@imago/repo'
import { isDid } from '@imago/syntax'
import { createClient } from '@imago/xrpc/client'
import type { Names } from '../names.ts'

/** A whole repository, exported and checked. */
export type RepoSummary =
  | {
      readonly outcome: 'verified'
      readonly records: number
      /** Records by collection, in the order of names. */
      readonly collections: ReadonlyMap<string, number>
      readonly bytes: number
      readonly signedBy: string
    }
  /** Larger than what the console reads. */
  | { readonly outcome: 'too large'; readonly maxBytes: number }
  | { readonly outcome: 'failed'; readonly reason: string }

export type RepoSummaries = (did: string, rev: string, pds: string) => Promise<RepoSummary>

const MAX_BYTES = 4 * 1024 * 1024
const MAX_REMEMBERED = 500

/** Exports of repositories, checked once per rev. What it gives never rejects. */
export function createRepoSummaries(names: Names, fetch: typeof globalThis.fetch): RepoSummaries {
  const remembered = new Map<string, { rev: string; summary: RepoSummary }>()
  return async (did, rev, pds) => {
    const known = remembered.get(did)
    if (known?.rev === rev) return known.summary
    const summary = await summarise(did, pds, names, fetch).catch(
      (error): RepoSummary => ({
        outcome: 'failed',
        reason: error instanceof Error ? error.message : String(error),
      }),
    )
    remembered.delete(did)
    remembered.set(did, { rev, summary })
    if (remembered.size > MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!)
    return summary
  }
}

async function summarise(
  did: string,
  pds: string,
  names: Names,
  fetch: typeof globalThis.fetch,
): Promise<RepoSummary> {
  if (!isDid(did)) throw new TypeError(`${JSON.stringify(did)} is not a DID`)
  const [{ signingKey }, response] = await Promise.all([
    names.identityOf(did),
    createClient({ service: pds, fetch }).call(com.atproto.sync.getRepo.main, { params: { did } }),
  ])
  const bytes = await readAtMost(response, MAX_BYTES)
  if (bytes === undefined) return { outcome: 'too large', maxBytes: MAX_BYTES }
  if (signingKey === undefined) throw new Error('the DID document has no signing key')
  const { records } = verifyRepo(readCar(bytes), { did, key: signingKey })
  const collections = new Map<string, number>()
  for (const path of records.keys()) {
    const collection = path.slice(0, path.indexOf('/'))
    collections.set(collection, (collections.get(collection) ?? 0) + 1)
  }
  return {
    outcome: 'verified',
    records: records.size,
    collections,
    bytes: bytes.length,
    signedBy: signingKey.didKey,
  }
}

async function readAtMost(response: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    // Leaving the loop cancels the body.
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
