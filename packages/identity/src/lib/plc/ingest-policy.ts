import type { Operation, PlcOperation } from './operation.ts'
import { excerpt, PlcError } from './plc-error.ts'
import { openRotationKey } from './rotation-key.ts'

/** Bounds of the `ingest` policy. Lengths of strings are in UTF-16 units, as the public directory counts. */
export const INGEST_LIMITS = {
  operationBytes: 4000,
  alsoKnownAs: 10,
  alsoKnownAsLength: 258,
  rotationKeys: 10,
  services: 10,
  serviceTypeLength: 256,
  serviceEndpointLength: 512,
  verificationMethods: 10,
  verificationMethodLength: 256,
  idLength: 32,
} as const

export interface IngestOptions {
  /**
   * Take an operation without rotation keys, after which nobody can ever change the DID. Off unless
   * someone meant it.
   */
  readonly allowFreezing?: boolean
}

/**
 * The bounds that an operation keeps to enter a directory, beyond its form and its size.
 * @throws {PlcError} `InvalidOperation`, with the words that clients know from the public directory.
 */
export function checkIngest(operation: Operation, options: IngestOptions): void {
  checkNoNul(operation)
  if (operation.type !== 'plc_operation') return
  checkAlsoKnownAs(operation.alsoKnownAs)
  checkRotationKeys(operation.rotationKeys, options)
  checkServices(operation.services)
  checkVerificationMethods(operation.verificationMethods)
}

function checkAlsoKnownAs(entries: readonly string[]): void {
  const { alsoKnownAs, alsoKnownAsLength } = INGEST_LIMITS
  if (entries.length > alsoKnownAs) refuse(`To many alsoKnownAs entries (max ${alsoKnownAs})`)
  const seen = new Set<string>()
  for (const entry of entries) {
    if (entry.length > alsoKnownAsLength)
      refuse(`alsoKnownAs entry too long (max ${alsoKnownAsLength}): ${entry}`)
    if (seen.has(entry)) refuse(`duplicate alsoKnownAs entry: ${entry}`)
    seen.add(entry)
  }
}

function checkRotationKeys(keys: readonly string[], options: IngestOptions): void {
  if (keys.length > INGEST_LIMITS.rotationKeys)
    refuse(`Too many rotationKey entries (max ${INGEST_LIMITS.rotationKeys})`)
  if (keys.length === 0 && !options.allowFreezing)
    refuse(
      'rotationKeys is empty: nobody could ever change this DID again. Name at least one key, or say that you mean it with ?allowFreezing=true',
    )
  const seen = new Set<string>()
  for (const key of keys) {
    if (openRotationKey(key) === undefined) refuse(`Invalid rotationKey: ${key}`)
    if (seen.has(key)) refuse(`duplicate rotationKey: ${key}`)
    seen.add(key)
  }
}

function checkServices(services: PlcOperation['services']): void {
  const limits = INGEST_LIMITS
  const entries = Object.entries(services)
  if (entries.length > limits.services) refuse(`To many service entries (max ${limits.services})`)
  for (const [id, { type, endpoint }] of entries) {
    checkId('Service', id)
    if (type.length > limits.serviceTypeLength)
      refuse(`Service type too long (max ${limits.serviceTypeLength})`)
    if (endpoint.length > limits.serviceEndpointLength)
      refuse(`Service endpoint too long (max ${limits.serviceEndpointLength})`)
  }
}

function checkVerificationMethods(methods: PlcOperation['verificationMethods']): void {
  const limits = INGEST_LIMITS
  const entries = Object.entries(methods)
  if (entries.length > limits.verificationMethods)
    refuse(`To many verificationMethod entries (max ${limits.verificationMethods})`)
  for (const [id, key] of entries) {
    checkId('Verification Method', id)
    if (key.length > limits.verificationMethodLength)
      refuse(`Verification Method too long (max ${limits.verificationMethodLength}): ${id}`)
    // Any type of key, known or not: what it is for is between the subject and who reads the document.
    if (!DID_KEY.test(key)) refuse(`Invalid verificationMethod key: ${key}`)
  }
}

// Base58btc, which decodes whatever its length: even nothing is the key of no bytes.
const DID_KEY = /^did:key:z[1-9A-HJ-NP-Za-km-z]*$/

// What may stand behind the # of a DID URL (RFC 3986 §3.5).
const FRAGMENT = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})+$/

function checkId(what: string, id: string): void {
  if (id.length > INGEST_LIMITS.idLength) refuse(`${what} id too long (max ${INGEST_LIMITS.idLength}): ${id}`)
  if (!FRAGMENT.test(id)) refuse(`${what} id cannot stand in a DID URL: ${excerpt(id)}`)
}

function refuse(message: string): never {
  throw new PlcError('InvalidOperation', message)
}

/** Stores and terminals stop at a NUL. */
function checkNoNul(value: unknown): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) refuse(`text holds a NUL character: ${excerpt(value)}`)
  } else if (typeof value === 'object' && value !== null)
    for (const [key, member] of Object.entries(value)) {
      checkNoNul(key)
      checkNoNul(member)
    }
}
