import assert from 'node:assert/strict'
import { CRYPTO_LIBRARIES, importKeypair, verifySignature } from '@imago/crypto'
import { createRandom } from '@imago/sim/random'
import type { GroupContext } from '../lib/group.ts'
import { measure } from '../lib/measure.ts'
import type { Row } from '../lib/row.ts'

const SEED = 1
const KEYS = 64
/** About what a commit's signed bytes come to. */
const COMMIT_BYTES = 140
const LIMIT_MICROS = 60

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
  const figures = measure(
    {
      verify: (i) => {
        const { key, message, signature } = signed[i % KEYS]!
        return verifySignature(key, message, signature)
      },
      sign: (i) => {
        const { keypair, message } = signed[i % KEYS]!
        return keypair.sign(message)
      },
    },
    quick ? { runs: 3, runMs: 40, warmUpMs: 120 } : {},
  )
  for (const name of ['verify', 'sign'] as const)
    yield {
      name: `K-256 ${name}, ${COMMIT_BYTES} B`,
      unit: 'µs',
      ours: figures[name].median,
      spread: figures[name].spread,
      bar: { limit: LIMIT_MICROS },
      note: CRYPTO_LIBRARIES.k256,
    }
}
