import { tryParseDidKey } from '@imago/crypto'
import type { DidDocument } from '../did-document.ts'
import { canonicalMap } from './canonical-map.ts'
import type { PlcState } from './plc-log.ts'

const SUITES = {
  k256: 'https://w3id.org/security/suites/secp256k1-2019/v1',
  p256: 'https://w3id.org/security/suites/ecdsa-2019/v1',
} as const

/**
 * The DID document of a state, in the shape of the public directory: absolute ids on verification methods, relative
 * ones on services, a context per known type of key. A key of an unknown type is shown all the same.
 * @see https://web.plc.directory/spec/v0.1/did-plc#did-resolution
 */
export function documentOf(state: PlcState): DidDocument {
  const contexts = new Set(['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'])
  const methods = Object.entries(canonicalMap(state.verificationMethods, (key) => key))
  for (const [, key] of methods) {
    const curve = tryParseDidKey(key)?.curve
    if (curve !== undefined) contexts.add(SUITES[curve])
  }
  return {
    '@context': [...contexts],
    id: state.did,
    alsoKnownAs: [...state.alsoKnownAs],
    verificationMethod: methods.map(([name, key]) => ({
      id: `${state.did}#${name}`,
      type: 'Multikey',
      controller: state.did,
      publicKeyMultibase: key.replace(/^did:key:/, ''),
    })),
    service: Object.entries(canonicalMap(state.services, (service) => service)).map(
      ([name, { type, endpoint }]) => ({ id: `#${name}`, type, serviceEndpoint: endpoint }),
    ),
  }
}
