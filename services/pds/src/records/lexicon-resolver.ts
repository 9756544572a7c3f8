import { type DataMap, decode, isDataMap, readCar } from '@imago/data'
import { type Directory, IdentityError, type ResolveTxt } from '@imago/identity'
import {
  createCatalog,
  LEXICON_COLLECTION,
  type LexiconDocument,
  lexiconDnsName,
  lexiconPublisher,
  publishedDocument,
  type RecordSchema,
  referencedDocuments,
} from '@imago/lexicon'
import { verifyRecordProof } from '@imago/repo'
import { createSlots } from '@imago/service'
import type { Did, Nsid } from '@imago/syntax'
import { createLexiconCache } from './lexicon-cache.ts'

/** A schema document as its publisher signed it. */
export interface PublishedLexicon {
  readonly did: Did
  /** Of the record that holds it. */
  readonly cid: string
  readonly document: LexiconDocument
}

/** A schema that could not be had. `NotFound`: nobody publishes it. `Unavailable`: somebody on the way did not answer. */
export class LexiconResolutionError extends Error {
  override readonly name = 'LexiconResolutionError'
  readonly code: 'NotFound' | 'Unavailable'

  constructor(code: LexiconResolutionError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Schemas of other people, as the network publishes them. What was found is remembered, and what was not, for less long. */
export interface LexiconResolver {
  /** @throws {LexiconResolutionError} */
  resolve(nsid: Nsid): Promise<PublishedLexicon>
  /**
   * The validator of a record type, with all that its schema refers to.
   * @throws {LexiconResolutionError} also when one of those cannot be had, or there are too many.
   */
  record(nsid: Nsid): Promise<RecordSchema<DataMap>>
}

export interface LexiconResolverPorts {
  readonly resolveTxt: ResolveTxt
  readonly directory: Pick<Directory, 'resolveDid'>
  /** For addresses that strangers chose. */
  readonly fetch: typeof fetch
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
}

/** Most documents that one schema may stand on; the largest on the network take about twenty. */
const MAX_DOCUMENTS = 64
/** At a time, whoever asks: one batch of writes can name two hundred. */
const MAX_LOOK_UPS = 16
/** For all of them together: a person waits. */
const TIMEOUT_MS = 10_000

/**
 * Finds schemas by DNS, DID document and a proof from the publisher's own host, so that neither that host nor anyone on
 * the way can make one up.
 * @see https://atproto.com/specs/lexicon#lexicon-publication-and-resolution
 */
export function createLexiconResolver(ports: LexiconResolverPorts): LexiconResolver {
  const { resolveTxt, directory, fetch, now } = ports

  async function publisherOf(nsid: Nsid): Promise<Did> {
    const name = lexiconDnsName(nsid)
    let records: Awaited<ReturnType<ResolveTxt>>
    try {
      records = await resolveTxt(name)
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code !== 'ENOTFOUND' && code !== 'ENODATA')
        throw unavailable(nsid, `${name} was not answered`, error)
      records = []
    }
    const did = lexiconPublisher(records)
    if (did === undefined) throw notFound(nsid, `${name} has no TXT record that names one DID`)
    return did
  }

  async function look(nsid: Nsid, signal: AbortSignal): Promise<PublishedLexicon> {
    const did = await publisherOf(nsid)
    const { pds, signingKey } = await directory.resolveDid(did).catch((error: unknown) => {
      throw error instanceof IdentityError ? unavailable(nsid, error.message, error) : error
    })
    if (pds === undefined || signingKey === undefined)
      throw notFound(nsid, `${did}, its publisher, has no host or no signing key`)
    const url = new URL('/xrpc/com.atproto.sync.getRecord', pds)
    url.search = new URLSearchParams({ did, collection: LEXICON_COLLECTION, rkey: nsid }).toString()
    const bytes = await download(nsid, url, signal)
    try {
      const { record } = verifyRecordProof(readCar(bytes), `${LEXICON_COLLECTION}/${nsid}`, {
        did,
        key: signingKey,
      })
      if (record === null) throw notFound(nsid, `${did}, its publisher, has no such schema`)
      const value = decode(record.bytes)
      if (!isDataMap(value)) throw notFound(nsid, 'the record of its publisher is no map')
      return { did, cid: record.cid.toString(), document: publishedDocument(nsid, value) }
    } catch (error) {
      if (error instanceof LexiconResolutionError) throw error
      // A proof that does not hold, or a record that is no schema: nothing to go by, whoever is to blame.
      throw notFound(nsid, `what ${url.host} sent is no proof of it: ${(error as Error).message}`, error)
    }
  }

  async function download(nsid: Nsid, url: URL, signal: AbortSignal): Promise<Uint8Array> {
    try {
      const response = await fetch(url, { signal })
      if (response.ok) return new Uint8Array(await response.arrayBuffer())
      await response.body?.cancel()
      if (response.status !== 400 && response.status !== 404)
        throw unavailable(nsid, `${url.host} answers ${response.status}`)
    } catch (error) {
      if (error instanceof LexiconResolutionError) throw error
      throw unavailable(nsid, `${url.host} cannot be reached: ${(error as Error).message}`, error)
    }
    throw notFound(nsid, `${url.host} does not have it`)
  }

  const cache = createLexiconCache<PublishedLexicon>({
    now,
    isLasting: (error) => error instanceof LexiconResolutionError && error.code === 'NotFound',
  })
  const schemas = createLexiconCache<RecordSchema<DataMap>>({ now, isLasting: () => false })

  const slots = createSlots(MAX_LOOK_UPS)
  const find = (nsid: Nsid, signal: AbortSignal): Promise<PublishedLexicon> =>
    cache.get(nsid, () => slots.run(() => look(nsid, signal)))

  async function compile(nsid: Nsid): Promise<RecordSchema<DataMap>> {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const documents = new Map<Nsid, LexiconDocument>()
    for (let missing: readonly Nsid[] = [nsid]; missing.length > 0; ) {
      if (documents.size + missing.length > MAX_DOCUMENTS)
        throw notFound(nsid, `it stands on more than ${MAX_DOCUMENTS} documents`)
      const found = await Promise.all(missing.map((one) => find(one, signal)))
      for (const { document } of found) documents.set(document.id, document)
      const referred = found.flatMap(({ document }) => [...referencedDocuments(document)])
      missing = [...new Set(referred)].filter((one) => !documents.has(one))
    }
    const schema = createCatalog(documents.values()).record(nsid)
    if (schema === undefined) throw notFound(nsid, 'it defines no record')
    return schema
  }

  return {
    resolve: (nsid) => find(nsid, AbortSignal.timeout(TIMEOUT_MS)),
    record: (nsid) => schemas.get(nsid, () => compile(nsid)),
  }
}

const notFound = (nsid: Nsid, reason: string, cause?: unknown) =>
  new LexiconResolutionError('NotFound', `the schema of ${nsid} cannot be found: ${reason}`, { cause })
const unavailable = (nsid: Nsid, reason: string, cause?: unknown) =>
  new LexiconResolutionError('Unavailable', `the schema of ${nsid} cannot be had now: ${reason}`, { cause })
