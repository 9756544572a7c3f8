import { isCidText } from '@imago/data'
import { canonicalMap } from './canonical-map.ts'
import type { LegacyCreate, Operation, PlcOperation, PlcService, PlcTombstone } from './operation.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * An operation from JSON that has exactly the fields of one kind, each of its type; otherwise `undefined`. A copy, in
 * canonical key order.
 */
export function parseForm(json: unknown): Operation | undefined {
  if (!isObject(json)) return undefined
  switch (json['type']) {
    case 'plc_operation':
      return parsePlcOperation(json)
    case 'plc_tombstone':
      return parseTombstone(json)
    case 'create':
      return parseCreate(json)
    default:
      return undefined
  }
}

function parsePlcOperation(json: Json): PlcOperation | undefined {
  if (!hasExactly(json, PLC_OPERATION_FIELDS)) return undefined
  const { sig, prev, services, alsoKnownAs, rotationKeys, verificationMethods } = json
  if (
    !isSignatureText(sig) ||
    !(prev === null || isPrev(prev)) ||
    !isObjectOf(services, isService) ||
    !isListOfText(alsoKnownAs) ||
    !isListOfText(rotationKeys) ||
    !isObjectOf(verificationMethods, isText)
  )
    return undefined
  return {
    sig,
    prev,
    type: 'plc_operation',
    services: canonicalMap(services, ({ type, endpoint }) => ({ type, endpoint })),
    alsoKnownAs: [...alsoKnownAs],
    rotationKeys: [...rotationKeys],
    verificationMethods: canonicalMap(verificationMethods, (key) => key),
  }
}

function parseTombstone(json: Json): PlcTombstone | undefined {
  const { sig, prev } = json
  if (!hasExactly(json, TOMBSTONE_FIELDS) || !isSignatureText(sig) || !isPrev(prev)) return undefined
  return { sig, prev, type: 'plc_tombstone' }
}

function parseCreate(json: Json): LegacyCreate | undefined {
  const { sig, prev, handle, service, signingKey, recoveryKey } = json
  if (
    !hasExactly(json, CREATE_FIELDS) ||
    !isSignatureText(sig) ||
    prev !== null ||
    !isText(handle) ||
    !isText(service) ||
    !isText(signingKey) ||
    !isText(recoveryKey)
  )
    return undefined
  return { sig, prev, type: 'create', handle, service, signingKey, recoveryKey }
}

const PLC_OPERATION_FIELDS = [
  'sig',
  'prev',
  'type',
  'services',
  'alsoKnownAs',
  'rotationKeys',
  'verificationMethods',
]
const TOMBSTONE_FIELDS = ['sig', 'prev', 'type']
const CREATE_FIELDS = ['sig', 'prev', 'type', 'handle', 'service', 'signingKey', 'recoveryKey']
const SERVICE_FIELDS = ['type', 'endpoint']

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string => typeof value === 'string'

// Whether it is a signature is judged with the keys; here only that it cannot be a burden, and has bytes.
const isSignatureText = (value: unknown): value is string =>
  isText(value) && value.length <= 1024 && value.isWellFormed()

// Only the canonical spelling: another multibase of the same CID would be the same `prev` with other signed bytes.
const isPrev = isCidText

const isListOfText = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(isText)

function isObjectOf<T>(
  value: unknown,
  is: (member: unknown) => member is T,
): value is Readonly<Record<string, T>> {
  if (!isObject(value)) return false
  for (const key in value) if (!is(value[key]) && Object.hasOwn(value, key)) return false
  return true
}

const isService = (value: unknown): value is PlcService =>
  isObject(value) && hasExactly(value, SERVICE_FIELDS) && isText(value['type']) && isText(value['endpoint'])

function hasExactly(json: Json, fields: readonly string[]): boolean {
  let own = 0
  for (const field in json) if (Object.hasOwn(json, field)) own++
  return own === fields.length && fields.every((field) => Object.hasOwn(json, field))
}
