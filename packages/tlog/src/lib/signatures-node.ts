import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { concatBytes } from '@imago/data'
import type { SignatureBackend } from './signature-backend.ts'

/** What stands before a raw key in its DER forms: the algorithm's identifier, and lengths. RFC 8410, RFC 9881. */
interface DerPrefixes {
  readonly spki: string
  readonly pkcs8: string
}

function openSsl({ spki, pkcs8 }: DerPrefixes): SignatureBackend {
  const spkiPrefix = Uint8Array.fromHex(spki)
  const pkcs8Prefix = Uint8Array.fromHex(pkcs8)
  return {
    openPublicKey(publicKey) {
      try {
        const der = concatBytes([spkiPrefix, publicKey])
        const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
        return (message, signature) => verify(null, message, key, signature)
      } catch {
        return undefined
      }
    },
    openSecretKey(seed) {
      const der = concatBytes([pkcs8Prefix, seed])
      const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
      const publicDer = createPublicKey(key).export({ format: 'der', type: 'spki' })
      return {
        publicKey: new Uint8Array(publicDer.subarray(spkiPrefix.length)),
        sign: (message) => new Uint8Array(sign(null, message, key)),
      }
    },
  }
}

export const ed25519: SignatureBackend = openSsl({
  spki: '302a300506032b6570032100',
  pkcs8: '302e020100300506032b657004220420',
})

export const mlDsa44: SignatureBackend = openSsl({
  spki: '30820532300b06096086480165030403110382052100',
  pkcs8: '3034020100300b060960864801650304031104228020',
})
