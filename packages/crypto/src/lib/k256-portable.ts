import { secp256k1 } from '@noble/curves/secp256k1.js'
import { nobleBackend } from './noble-backend.ts'

/** K-256 wherever there is no native code. */
export const k256 = nobleBackend(secp256k1)
