import { fromHex } from '@imago/data/multibase'
import { k256 } from '#k256'
import { p256 } from '#p256'
import type { CurveBackend } from './curve-backend.ts'

/** The curves of atproto: NIST P-256 (`secp256r1`) and K-256 (`secp256k1`). */
export type Curve = 'p256' | 'k256'

/** What the rest of the package needs to know of a curve. */
export interface CurveFacts {
  readonly backend: CurveBackend
  /** Number of its public keys in the multicodec table. */
  readonly multicodec: number
  /** Order of the group, n: 32 bytes, big-endian. */
  readonly order: Uint8Array
  /** n/2, rounded down. */
  readonly halfOrder: Uint8Array
}

/** @see https://www.secg.org/sec2-v2.pdf */
export const CURVES: Readonly<Record<Curve, CurveFacts>> = {
  p256: {
    backend: p256,
    multicodec: 0x1200,
    order: fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
    halfOrder: fromHex('7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8'),
  },
  k256: {
    backend: k256,
    multicodec: 0xe7,
    order: fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'),
    halfOrder: fromHex('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0'),
  },
}
