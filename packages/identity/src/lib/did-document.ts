import { type Did, isDid } from '@imago/syntax'
import { IdentityError } from './identity-error.ts'

export interface VerificationMethod {
  /** Absolute (`did:…#name`) or relative (`#name`). */
  readonly id: string
  readonly type: string
  readonly controller?: string
  readonly publicKeyMultibase?: string
}

export interface DocumentService {
  /** Absolute (`did:…#name`) or relative (`#name`). */
  readonly id: string
  readonly type: string | readonly string[]
  readonly serviceEndpoint: unknown
}

/**
 * A DID document, as far as atproto reads one. Members are as the document holds them: whether a key or an endpoint
 * is good for anything is for `atprotoData` to say.
 * @see https://www.w3.org/TR/did-1.0/#core-properties
 */
export interface DidDocument {
  readonly '@context'?: unknown
  readonly id: Did
  readonly alsoKnownAs?: readonly string[]
  readonly verificationMethod?: readonly VerificationMethod[]
  readonly service?: readonly DocumentService[]
}

/**
 * A document from JSON. Lenient with what nobody asked about: entries of a wrong shape and members of unknown names
 * are passed over, as one odd alias must not make an account vanish.
 * @param did whose document it has to be, compared exactly.
 * @throws {IdentityError} `InvalidDocument` when it is not an object, or is about somebody else.
 */
export function parseDidDocument(json: unknown, did: Did): DidDocument {
  if (!isObject(json))
    throw new IdentityError('InvalidDocument', `the DID document of ${did} is not an object`)
  const { id } = json
  if (!isDid(id) || id !== did)
    throw new IdentityError(
      'InvalidDocument',
      `the DID document of ${did} is about ${JSON.stringify(id)?.slice(0, 100) ?? 'nobody'}`,
    )
  return {
    ...json,
    id,
    alsoKnownAs: listOf(json['alsoKnownAs'], (entry) => typeof entry === 'string'),
    verificationMethod: listOf(json['verificationMethod'], isVerificationMethod),
    service: listOf(json['service'], isService),
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function listOf<T>(value: unknown, is: (entry: unknown) => entry is T): T[] {
  return Array.isArray(value) ? value.filter(is) : []
}

const isTextOrAbsent = (value: unknown) => value === undefined || typeof value === 'string'

function isVerificationMethod(value: unknown): value is VerificationMethod {
  return (
    isObject(value) &&
    typeof value['id'] === 'string' &&
    typeof value['type'] === 'string' &&
    isTextOrAbsent(value['controller']) &&
    isTextOrAbsent(value['publicKeyMultibase'])
  )
}

function isService(value: unknown): value is DocumentService {
  return (
    isObject(value) &&
    typeof value['id'] === 'string' &&
    (typeof value['type'] === 'string' || Array.isArray(value['type'])) &&
    Object.hasOwn(value, 'serviceEndpoint')
  )
}
