import { createRequire } from 'node:module'
import { writeSha256 } from '@imago/data/sha256'
import type * as Secp256k1 from 'secp256k1'
import type { CurveBackend } from './curve-backend.ts'
import { nobleBackend } from './noble-backend.ts'

const require = createRequire(import.meta.url)

/**
 * libsecp256k1, which verifies several times as fast as OpenSSL does on this curve. Where its addon can be neither
 * loaded nor built, @noble/curves stands in, and `library` says so.
 */
export const k256: CurveBackend = openAddon() ?? openPortable()

function openAddon(): CurveBackend | undefined {
  const addon = loadAddon()
  if (addon === undefined) return undefined
  addon.contextRandomize(crypto.getRandomValues(new Uint8Array(32))) // blinds signing against side channels
  return {
    library: 'libsecp256k1',
    openPublicKey(compressed) {
      const point = addon.publicKeyConvert(compressed, false)
      return (message, signature) => addon.ecdsaVerify(atHand(signature), hashOf(message), point)
    },
    openSecretKey(secret) {
      const own = secret.slice()
      return {
        point: addon.publicKeyCreate(own, true),
        sign: (message) => addon.ecdsaSign(hashOf(message), own).signature,
      }
    },
  }
}

// What the addon sees is in one array for all: V8 keeps small ones on its own heap, and moves each out of there, which takes
// it over a microsecond, when an addon first sees it.

/** The SHA-256 of a message, until the next one is asked for. */
function hashOf(message: Uint8Array): Uint8Array {
  writeSha256(message, hash, 0)
  return hash
}

/** The same signature, until the next one comes. */
function atHand(signature: Uint8Array): Uint8Array {
  for (let i = 0; i < SIGNATURE_BYTES; i++) signatureAtHand[i] = signature[i]!
  return signatureAtHand
}

const SIGNATURE_BYTES = 64
const hash = new Uint8Array(32)
const signatureAtHand = new Uint8Array(SIGNATURE_BYTES)

/** The package's root would fall back, without a word, to a slow implementation of its own; `bindings` throws. */
function loadAddon(): typeof Secp256k1 | undefined {
  try {
    return require('secp256k1/bindings.js')
  } catch {
    return undefined
  }
}

/** Loaded only on need, because it adds some 30 ms to the start of every process. */
function openPortable(): CurveBackend {
  return nobleBackend(require('@noble/curves/secp256k1.js').secp256k1)
}
