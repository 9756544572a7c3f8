import { com } from '@imago/atproto'
import { decode, type JsonValue, readCar, toJson } from '@imago/data'
import { verifyRecordProof } from '@imago/repo'
import { isDid } from '@imago/syntax'
import { createClient } from '@imago/xrpc/client'
import type { Names } from '../names.ts'
import type { ServiceUrls } from '../service-urls.ts'

/** A record as its host proves it. */
export type ProvenRecord =
  | {
      readonly found: true
      readonly cid: string
      readonly rev: string
      readonly record: JsonValue
      readonly signedBy: string
    }
  /** The proof shows that there is none. */
  | { readonly found: false; readonly rev: string; readonly signedBy: string }

/**
 * Fetches a record with its proof, and checks it: blocks, tree, commit and signature.
 * @param path `collection/rkey`
 * @throws {XrpcError} when the host does not answer with one.
 * @throws {Error} of data, repo or identity, when the proof does not hold.
 */
export async function proveRecord(
  did: string,
  path: string,
  { services, names, fetch }: { services: ServiceUrls; names: Names; fetch: typeof globalThis.fetch },
): Promise<ProvenRecord> {
  if (!isDid(did)) throw new TypeError(`${JSON.stringify(did)} is not a DID`)
  const slash = path.indexOf('/')
  const { signingKey, pds } = await names.identityOf(did)
  if (signingKey === undefined) throw new Error(`the DID document of ${did} has no signing key`)
  const response = await createClient({ service: pds ?? services.pds, fetch }).request(
    com.atproto.sync.getRecord.main.nsid,
    {
      query: new URLSearchParams({ did, collection: path.slice(0, slash), rkey: path.slice(slash + 1) }),
    },
  )
  const proof = readCar(new Uint8Array(await response.arrayBuffer()))
  const { commit, record } = verifyRecordProof(proof, path, { did, key: signingKey })
  const facts = { rev: commit.rev, signedBy: signingKey.didKey }
  if (record === null) return { found: false, ...facts }
  return { found: true, cid: record.cid.toString(), record: toJson(decode(record.bytes)), ...facts }
}
