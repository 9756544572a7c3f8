import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { fromHex } from '@imago/data/multibase'
import type { CurveBackend } from './curve-backend.ts'

// The DER of a P-256 key up to the bytes that differ: SubjectPublicKeyInfo with a compressed point (RFC 5480), and
// ECPrivateKey around a secret (RFC 5915), from which OpenSSL derives the public key.
const SPKI_PREFIX = fromHex('3039301306072a8648ce3d020106082a8648ce3d030107032200')
const SEC1_PREFIX = fromHex('30310201010420')
const SEC1_SUFFIX = fromHex('a00a06082a8648ce3d030107')

/** OpenSSL, whose P-256 is hand-written for every processor that matters. Its nonces are random. */
export const p256: CurveBackend = {
  library: 'OpenSSL',
  openPublicKey(point) {
    const der = join(SPKI_PREFIX, point)
    const key = compact(createPublicKey({ key: der, format: 'der', type: 'spki' }))
    return (message, signature) => verify('sha256', message, key, signature)
  },
  openSecretKey(secret) {
    const der = join(SEC1_PREFIX, secret, SEC1_SUFFIX)
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'sec1' })
    der.fill(0)
    const key = compact(privateKey)
    return {
      point: pointOf(createPublicKey(privateKey)),
      sign: (message) => new Uint8Array(sign('sha256', message, key)),
    }
  },
}

/** A key whose signatures are r‖s rather than DER. */
const compact = (key: KeyObject) => ({ key, dsaEncoding: 'ieee-p1363' as const })

function pointOf(key: KeyObject): Uint8Array {
  const { x, y } = key.export({ format: 'jwk' })
  const yBytes = Buffer.from(y!, 'base64url')
  return join(Uint8Array.of(2 + (yBytes.at(-1)! & 1)), Buffer.from(x!, 'base64url'))
}

function join(...parts: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  return Buffer.concat(parts)
}
