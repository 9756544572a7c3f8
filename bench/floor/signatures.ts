import assert from 'node:assert/strict'
import { CRYPTO_LIBRARIES, importKeypair, verifySignature } from '@imago/crypto'
import { createRandom } from '@imago/sim/random'
import type { GroupContext } from '../lib/group.ts'
import { measure } from '../lib/measure.ts'
import type { Row } from '../lib/row.ts'
import { openLibsecp256k1 } from '../lib/yardstick.ts'

const SEED = 1
const KEYS = 64
/** About what a commit's signed bytes come to. */
const COMMIT_BYTES = 140
/** Where one verification by the library took 53 µs. */
const LIMIT_MICROS = 60
/** What may come on top of the library: hashing, and refusing what is not canonical. */
const MOST_OVERHEAD = LIMIT_MICROS / 53

/** K-256, which nearly every account signs with. Keys are parsed before: a follower keeps them by account. */
export async function* rows({ quick }: GroupContext): AsyncGenerator<Row> {
  const random = createRandom(SEED)
  const signed = Array.from({ length: KEYS }, () => {
    const keypair = importKeypair('k256', random.bytes(32))
    const message = random.bytes(COMMIT_BYTES)
    return { keypair, key: keypair.publicKey, message, signature: keypair.sign(message) }
  })
  for (const [i, { key, message, signature }] of signed.entries()) {
    assert(verifySignature(key, message, signature))
    assert(!verifySignature(signed[(i + 1) % KEYS]!.key, message, signature))
  }
  const library = openLibsecp256k1()
  const figures = measure(
    {
      verify: (i: number) => {
        const { key, message, signature } = signed[i % KEYS]!
        return verifySignature(key, message, signature)
      },
      sign: (i: number) => {
        const { keypair, message } = signed[i % KEYS]!
        return keypair.sign(message)
      },
      ...(library && { itsVerify: library.verify, itsSign: library.sign }),
    },
    quick ? { runs: 3, runMs: 40, warmUpMs: 120 } : { runs: 15 },
  )
  for (const [direction, ours, itself] of [
    ['verify', figures.verify, figures.itsVerify],
    ['sign', figures.sign, figures.itsSign],
  ] as const) {
    const name = `K-256 ${direction}, ${COMMIT_BYTES} B`
    if (itself === undefined) {
      yield { name, missing: `libsecp256k1: K-256 runs on ${CRYPTO_LIBRARIES.k256} here` }
      continue
    }
    const literally = ours.median <= LIMIT_MICROS ? 'ok' : 'short'
    yield {
      name,
      unit: 'µs',
      ours: ours.median,
      spread: ours.spread,
      peers: { 'libsecp256k1 itself, of a hash': itself.median },
      bar: { timesPeer: 1 / MOST_OVERHEAD },
      note: `a bar of ${LIMIT_MICROS} µs: ${literally}`,
    }
  }
}
