import { createRequire } from 'node:module'
import type { Work } from './measure.ts'
import type { Yardstick } from './row.ts'

/** What one verification took where the bars of the floor were set. */
const MICROS_WHERE_SET = 53
const INPUTS = 64

/** libsecp256k1 itself, as its addon offers it: what neither our code nor our choice of data moves. */
export interface Libsecp256k1 {
  /** Verifies one of some signatures of hashes, under keys that are decompressed already. */
  readonly verify: Work
  /** Signs one of some hashes. */
  readonly sign: Work
  /** The speed of this machine, out of what `verify` took in the run of a row. */
  yardstick(verifyMicros: number): Yardstick
}

/** @returns `undefined` where the addon does not run: limits then stand as they were set. */
export function openLibsecp256k1(): Libsecp256k1 | undefined {
  const addon = loadAddon()
  if (addon === undefined) return undefined
  const signed = Array.from({ length: INPUTS }, (_, i) => {
    const secret = new Uint8Array(32).fill(i + 1)
    const hash = new Uint8Array(32).fill(255 - i)
    const { signature } = addon.ecdsaSign(hash, secret)
    return { secret, hash, signature, point: addon.publicKeyCreate(secret, false) }
  })
  return {
    verify: (i) => {
      const { signature, hash, point } = signed[i % INPUTS]!
      return addon.ecdsaVerify(signature, hash, point)
    },
    sign: (i) => {
      const { hash, secret } = signed[i % INPUTS]!
      return addon.ecdsaSign(hash, secret)
    },
    yardstick: (micros) => ({ name: 'libsecp256k1', micros, microsWhereSet: MICROS_WHERE_SET }),
  }
}

/** A dependency of ours, asked for from where it is one; its root would fall back to a slower library without a word. */
function loadAddon(): typeof import('secp256k1') | undefined {
  const require = createRequire(import.meta.resolve('@imago/crypto'))
  try {
    return require('secp256k1/bindings.js')
  } catch {
    return undefined
  }
}
