import assert from 'node:assert/strict'
import test from 'node:test'
import { fromHex, toHex } from '@imago/data/multibase'
import { createRandom, type Random } from '@imago/sim/random'
import { isCanonicalSignature, lowerS } from './compact-signature.ts'
import type { CurveBackend } from './curve-backend.ts'
import { CURVES, type Curve } from './curves.ts'
import { k256 as k256Node } from './k256-node.ts'
import { k256 as k256Portable } from './k256-portable.ts'
import { p256 as p256Node } from './p256-node.ts'
import { p256 as p256Portable } from './p256-portable.ts'
import { subtractFrom } from './scalar.ts'

const PAIRS: readonly { curve: Curve; node: CurveBackend; portable: CurveBackend }[] = [
  { curve: 'k256', node: k256Node, portable: k256Portable },
  { curve: 'p256', node: p256Node, portable: p256Portable },
]

const ZERO = new Uint8Array(32)

test('the fast libraries are in use where tests run', () => {
  assert.equal(k256Node.library, 'libsecp256k1')
  assert.equal(p256Node.library, 'OpenSSL')
  assert.equal(k256Portable.library, '@noble/curves')
  assert.equal(p256Portable.library, '@noble/curves')
})

for (const { curve, node, portable } of PAIRS) {
  const { order, halfOrder } = CURVES[curve]

  /** A scalar that both backends take: its highest bit is off, and it is not zero. */
  const anySecret = (random: Random) => {
    const secret = random.bytes(32)
    secret[0]! &= 0x7f
    secret[31]! |= 1
    return secret
  }

  test(`${curve}: both backends derive the same public key, to the ends of the range`, () => {
    const random = createRandom(1)
    const one = ZERO.with(31, 1)
    const last = order.with(31, order[31]! - 1)
    for (const secret of [one, last, ...Array.from({ length: 20 }, () => anySecret(random))]) {
      const [left, right] = [node.openSecretKey(secret).point, portable.openSecretKey(secret).point]
      assert.equal(toHex(left), toHex(right))
      assert.equal(left.length, 33)
    }
  })

  test(`${curve}: both backends agree on which points are on the curve`, () => {
    const random = createRandom(2)
    const opens = (backend: CurveBackend, point: Uint8Array) => {
      try {
        backend.openPublicKey(point)
        return true
      } catch {
        return false
      }
    }
    const verdicts = Array.from({ length: 60 }, () => {
      const point = Uint8Array.of(random.pick([2, 3]), ...random.bytes(32))
      const verdict = opens(node, point)
      assert.equal(opens(portable, point), verdict, toHex(point))
      return verdict
    })
    assert(verdicts.includes(true) && verdicts.includes(false))
    for (const x of [ZERO, new Uint8Array(32).fill(255)]) {
      const point = Uint8Array.of(2, ...x)
      assert.equal(opens(node, point), opens(portable, point), toHex(point))
    }
  })

  test(`${curve}: each backend verifies what the other signs, and lowering s keeps a signature valid`, () => {
    const random = createRandom(3)
    for (let i = 0; i < 8; i++) {
      const secret = anySecret(random)
      const message = random.bytes(random.int(300))
      const [left, right] = [node.openSecretKey(secret), portable.openSecretKey(secret)]
      const verifiers = [node.openPublicKey(left.point), portable.openPublicKey(left.point)]
      for (const signer of [left, right]) {
        const signature = lowerS(signer.sign(message), CURVES[curve])
        assert(isCanonicalSignature(signature, CURVES[curve]))
        for (const verify of verifiers) {
          assert(verify(message, signature))
          assert(!verify(Uint8Array.of(...message, 0), signature))
        }
      }
    }
  })

  test(`${curve}: both backends refuse the same damaged signatures, and throw at none`, () => {
    const random = createRandom(4)
    const secret = anySecret(random)
    const message = random.bytes(100)
    const signer = portable.openSecretKey(secret)
    const good = lowerS(signer.sign(message), CURVES[curve])
    const verifiers = [node.openPublicKey(signer.point), portable.openPublicKey(signer.point)]
    const damaged = Array.from({ length: 24 }, () => {
      const at = random.int(64)
      return good.with(at, good[at]! ^ (1 << random.int(8)))
    })
    const [r, s] = [good.subarray(0, 32), good.subarray(32)]
    for (const signature of [
      ...damaged,
      Uint8Array.of(...s, ...r),
      Uint8Array.of(...r, ...halfOrder),
      Uint8Array.of(...ZERO.with(31, 1), ...ZERO.with(31, 1)),
    ])
      for (const verify of verifiers)
        assert.equal(isCanonicalSignature(signature, CURVES[curve]) && verify(message, signature), false)
  })

  test(`${curve}: only r‖s of 64 bytes, in range and with a low s, is canonical`, () => {
    const one = ZERO.with(31, 1)
    const belowOrder = order.with(31, order[31]! - 1)
    const aboveHalf = halfOrder.with(31, halfOrder[31]! + 1)
    const isCanonical = (...parts: Uint8Array[]) =>
      isCanonicalSignature(Uint8Array.from(parts.flatMap((part) => [...part])), CURVES[curve])
    assert(isCanonical(one, one))
    assert(isCanonical(belowOrder, halfOrder))
    assert(!isCanonical(ZERO, one))
    assert(!isCanonical(one, ZERO))
    assert(!isCanonical(order, one))
    assert(!isCanonical(one, aboveHalf))
    assert(!isCanonical(one, belowOrder))
    assert(!isCanonical(one, one, Uint8Array.of(0)))
    assert(!isCanonical(one, one.subarray(1)))
    assert(!isCanonical())
  })

  test(`${curve}: n - s is the other valid s, which is why one of the two has to be refused`, () => {
    const signer = portable.openSecretKey(ZERO.with(31, 7))
    const message = new Uint8Array(10)
    const low = lowerS(signer.sign(message), CURVES[curve])
    const high = low.slice()
    subtractFrom(order, high, 32)
    // What the portable backend and OpenSSL let pass; libsecp256k1 refuses it itself.
    assert(portable.openPublicKey(signer.point)(message, high))
    assert(!isCanonicalSignature(high, CURVES[curve]))
    assert.deepEqual(lowerS(high.slice(), CURVES[curve]), low)
  })

  test(`${curve}: a backend keeps its own copy of a secret`, () => {
    for (const backend of [node, portable]) {
      const secret = ZERO.with(31, 9)
      const signer = backend.openSecretKey(secret)
      secret.fill(1)
      const message = new Uint8Array(5)
      assert(backend.openPublicKey(signer.point)(message, lowerS(signer.sign(message), CURVES[curve])))
    }
  })
}

test('K-256 signatures are those of RFC 6979, byte for byte the same from both backends', () => {
  const random = createRandom(5)
  for (let i = 0; i < 8; i++) {
    const secret = random.bytes(32).with(0, 1)
    const message = random.bytes(64)
    const [left, right] = [k256Node, k256Portable].map((backend) =>
      toHex(lowerS(backend.openSecretKey(secret).sign(message), CURVES.k256)),
    )
    assert.equal(left, right)
  }
})

test('the portable P-256 gives the signature of RFC 6979, appendix A.2.5', () => {
  const secret = fromHex('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721')
  const published =
    'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716' +
    'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8'
  const message = new TextEncoder().encode('sample')
  const signer = p256Portable.openSecretKey(secret)
  assert.equal(toHex(signer.sign(message)), published)
  assert(p256Node.openPublicKey(signer.point)(message, fromHex(published)))
  assert.equal(toHex(signer.point), '0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6')
})
