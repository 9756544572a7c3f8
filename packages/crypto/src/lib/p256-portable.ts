import { p256 as nobleP256 } from '@noble/curves/nist.js'
import { nobleBackend } from './noble-backend.ts'

/** P-256 wherever there is no native code. (WebCrypto has it too, but only asynchronously.) */
export const p256 = nobleBackend(nobleP256)
