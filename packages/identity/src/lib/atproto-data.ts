import { type DidKey, tryParseDidKey } from '@imago/crypto'
import { fromBase58btc, toBase58btc } from '@imago/data/multibase'
import { type Did, type Handle, hasDisallowedTld, isHandle, normalizeHandle } from '@imago/syntax'
import type { DidDocument, VerificationMethod } from './did-document.ts'

/** What atproto reads in a DID document. Absent is what the document does not say, or says in no usable form. */
export interface AtprotoData {
  readonly did: Did
  /** The handle it claims, in lower case. A claim: it holds only where the handle names this DID in turn. */
  readonly handle?: Handle
  /** The key that signs the repository, P-256 or K-256; another type of key is no atproto key. */
  readonly signingKey?: DidKey
  /** Origin of the PDS, without a slash at the end. */
  readonly pds?: string
  /** Origin and label-signing key of a labeler. */
  readonly labeler?: { readonly url: string; readonly key?: DidKey }
}

/**
 * The atproto view of a DID document. Never throws: odd documents have less to say.
 * @see https://atproto.com/specs/did#did-documents
 */
export function atprotoData(document: DidDocument): AtprotoData {
  const handle = claimedHandle(document)
  const signingKey = keyNamed(document, 'atproto')
  const pds = originOf(document, 'atproto_pds', 'AtprotoPersonalDataServer')
  const labeler = originOf(document, 'atproto_labeler', 'AtprotoLabeler')
  const labelKey = labeler === undefined ? undefined : keyNamed(document, 'atproto_label')
  return {
    did: document.id,
    ...(handle !== undefined && { handle }),
    ...(signingKey !== undefined && { signingKey }),
    ...(pds !== undefined && { pds }),
    ...(labeler !== undefined && {
      labeler: { url: labeler, ...(labelKey !== undefined && { key: labelKey }) },
    }),
  }
}

/** The first alias that is a handle; `handle.invalid` and its like are for display, and claim nothing. */
function claimedHandle({ alsoKnownAs = [] }: DidDocument): Handle | undefined {
  for (const alias of alsoKnownAs) {
    if (!alias.startsWith('at://')) continue
    const handle = alias.slice('at://'.length)
    if (isHandle(handle) && !hasDisallowedTld(handle)) return normalizeHandle(handle)
  }
  return undefined
}

/** The public directory writes services with relative ids and methods with absolute ones; both are legal for both. */
const isNamed = (id: string, did: Did, name: string) => id === `#${name}` || id === `${did}#${name}`

function keyNamed(document: DidDocument, name: string): DidKey | undefined {
  const method = document.verificationMethod?.find(
    ({ id, controller }) =>
      isNamed(id, document.id, name) && (controller === undefined || controller === document.id),
  )
  return method === undefined ? undefined : tryParseDidKey(didKeyOf(method))?.didKey
}

function didKeyOf({ type, publicKeyMultibase }: VerificationMethod): string | undefined {
  if (publicKeyMultibase === undefined) return undefined
  const multicodec = LEGACY_MULTICODECS.get(type)
  if (multicodec !== undefined) return legacyDidKey(multicodec, publicKeyMultibase)
  return type === 'Multikey' ? `did:key:${publicKeyMultibase}` : undefined
}

const LEGACY_MULTICODECS: ReadonlyMap<string, readonly number[]> = new Map([
  ['EcdsaSecp256k1VerificationKey2019', [0xe7, 0x01]],
  ['EcdsaSecp256r1VerificationKey2019', [0x80, 0x24]],
])

/** Old did:web documents hold the bare point, mostly uncompressed, without a multicodec. */
function legacyDidKey(multicodec: readonly number[], publicKeyMultibase: string): string | undefined {
  if (!publicKeyMultibase.startsWith('z')) return undefined
  let point: Uint8Array
  try {
    point = fromBase58btc(publicKeyMultibase.slice(1))
  } catch {
    return undefined
  }
  if (point.length === 65 && point[0] === 4)
    point = Uint8Array.of(2 + (point[64]! & 1), ...point.subarray(1, 33))
  return `did:key:z${toBase58btc(Uint8Array.of(...multicodec, ...point))}`
}

/**
 * An endpoint that is an origin. http passes here, as a development network has no certificates; the fetch that goes
 * there is what insists on https.
 */
function originOf(document: DidDocument, name: string, type: string): string | undefined {
  const service = document.service?.find((entry) => isNamed(entry.id, document.id, name))
  if (service === undefined || typeof service.serviceEndpoint !== 'string') return undefined
  if (service.type !== type && !(Array.isArray(service.type) && service.type.includes(type))) return undefined
  const url = URL.parse(service.serviceEndpoint)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined
  return url.href === `${url.origin}/` ? url.origin : undefined
}
