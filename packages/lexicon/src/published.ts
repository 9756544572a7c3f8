import { type DataMap, toJson } from '@imago/data'
import { type Did, isDid, isNsid, type Nsid, nsidAuthority, parseNsid } from '@imago/syntax'
import type { LexiconDocument } from './document.ts'
import { LexiconError } from './lexicon-error.ts'
import { isMap } from './lib/values.ts'
import { parseLexiconDocument } from './parse-document.ts'

/** Where people publish schemas: a record of this collection, whose key is the NSID that it defines. */
export const LEXICON_COLLECTION = parseNsid('com.atproto.lexicon.schema')

/**
 * The DNS name whose TXT record says who publishes the schemas of a group: `_lexicon.feed.bsky.app` for
 * `app.bsky.feed.post`. Names are not looked up upwards from there.
 * @see https://atproto.com/specs/lexicon#lexicon-publication-and-resolution
 */
export const lexiconDnsName = (nsid: Nsid): string => `_lexicon.${nsidAuthority(nsid)}`

/**
 * The DID that TXT records name, each given as its character-strings: of those that begin `did=`, all must say the same.
 * `undefined` where there is none, or more than one.
 */
export function lexiconPublisher(records: readonly (readonly string[])[]): Did | undefined {
  const dids = new Set<Did>()
  for (const strings of records) {
    const text = strings.join('')
    const did = text.startsWith('did=') ? text.slice('did='.length).trim() : undefined
    if (isDid(did)) dids.add(did)
  }
  return dids.size === 1 ? dids.values().next().value : undefined
}

/**
 * The schema document in a record of {@link LEXICON_COLLECTION}.
 * @param nsid the key of the record, which has to be the document's own name.
 * @throws {LexiconError} `InvalidDocument`
 */
export function publishedDocument(nsid: Nsid, record: DataMap): LexiconDocument {
  const { $type: type, ...json } = toJson(record) as Record<string, unknown>
  if (type !== LEXICON_COLLECTION)
    throw invalid(nsid, '/$type', `must be ${LEXICON_COLLECTION}, not ${JSON.stringify(type)}`)
  const document = parseLexiconDocument(json)
  if (document.id !== nsid) throw invalid(nsid, '/id', `must be ${nsid}, the key of the record`)
  return document
}

const invalid = (nsid: Nsid, path: string, message: string) =>
  new LexiconError('InvalidDocument', `lexicon ${nsid}`, [{ path, message }])

/** The other documents that a document refers to, each once. */
export function referencedDocuments(document: LexiconDocument): ReadonlySet<Nsid> {
  const found = new Set<Nsid>()
  const add = (ref: unknown) => {
    const nsid = typeof ref === 'string' ? ref.split('#', 1)[0] : undefined
    if (isNsid(nsid) && nsid !== document.id) found.add(nsid)
  }
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit)
    if (!isMap(value)) return
    if (value['type'] === 'ref') add(value['ref'])
    if (value['type'] === 'union' && Array.isArray(value['refs'])) value['refs'].forEach(add)
    for (const member of Object.values(value)) visit(member)
  }
  visit(document.defs)
  return found
}
