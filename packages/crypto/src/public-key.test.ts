import assert from 'node:assert/strict'
import test from 'node:test'
import { fromBase58btc, toBase58btc, toHex } from '@imago/data/multibase'
import { vectorTest } from '@imago/sim/infrastructure'
import { createRandom } from '@imago/sim/random'
import { KeyError, type KeyErrorCode } from './key-error.ts'
import { generateKeypair } from './keypair.ts'
import { multikeyOf, PublicKey, parseDidKey, parseMultikey, tryParseDidKey } from './public-key.ts'

const K256_KEY = 'did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme'
const P256_KEY = 'did:key:zDnaeTiq1PdzvZXUaMdezchcMJQpBdH2VN4pgrrEhMCCbmwSb'

const K256_POINT = parseDidKey(K256_KEY).bytes
const P256_POINT = parseDidKey(P256_KEY).bytes

const didKeyOf = (...bytes: number[]) => `did:key:z${toBase58btc(Uint8Array.from(bytes))}`

function refuses(parse: () => unknown, code: KeyErrorCode, message: RegExp) {
  assert.throws(
    parse,
    (error: unknown) => error instanceof KeyError && error.code === code && message.test(error.message),
  )
}

vectorTest('a did:key of the interoperability vectors parses and formats again', ({ json }) => {
  const vectors = json<{ publicKeyDid: string; algorithm: string }[]>(
    'atproto-interop-tests/crypto/signature-fixtures.json',
  )
  for (const { publicKeyDid, algorithm } of vectors) {
    const key = parseDidKey(publicKeyDid)
    assert.equal(key.curve, algorithm === 'ES256' ? 'p256' : 'k256')
    assert.equal(new PublicKey(key.curve, key.bytes).didKey, publicKeyDid)
  }
})

test('a key has a did:key and a Multikey form, and comes back from both', () => {
  for (const curve of ['k256', 'p256'] as const)
    for (let i = 0; i < 5; i++) {
      const { publicKey: key } = generateKeypair(curve)
      assert.equal(key.didKey, `did:key:${multikeyOf(key)}`)
      for (const again of [parseDidKey(key.didKey), parseMultikey(multikeyOf(key))]) {
        assert.equal(again.curve, curve)
        assert.equal(toHex(again.bytes), toHex(key.bytes))
        assert.equal(again.didKey, key.didKey)
      }
    }
})

test('an uncompressed point is refused', () => {
  const [x, y] = [K256_POINT.subarray(1), K256_POINT.subarray(1)]
  refuses(() => parseDidKey(didKeyOf(0xe7, 0x01, 4, ...x, ...y)), 'InvalidKey', /65 bytes/)
  refuses(() => new PublicKey('k256', Uint8Array.of(4, ...x)), 'InvalidKey', /begins with 02 or 03/)
})

test('a point of the wrong length is refused', () => {
  for (const bytes of [[], [...K256_POINT, 0], [...K256_POINT.subarray(1)], [0, ...K256_POINT]])
    refuses(() => parseDidKey(didKeyOf(0xe7, 0x01, ...bytes)), 'InvalidKey', /compressed point of 33 bytes/)
})

test('a point off the curve is refused', () => {
  for (const curve of ['k256', 'p256'] as const) {
    const noSquare = new Uint8Array(33).with(0, 2).with(32, 7) // neither curve has a point with x = 7
    const aboveField = new Uint8Array(33).fill(255).with(0, 3)
    for (const point of [noSquare, aboveField])
      refuses(() => new PublicKey(curve, point), 'InvalidKey', /not a point of the curve/)
  }
})

test('a key of another kind is refused by its number', () => {
  const ed25519 = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
  refuses(() => parseDidKey(ed25519), 'UnsupportedKeyType', /0xed/)
})

test('a multicodec is a minimal varint', () => {
  refuses(() => parseDidKey(didKeyOf(0xe7, 0x81, 0x00, ...K256_POINT)), 'InvalidKey', /multicodec/)
  refuses(() => parseDidKey(didKeyOf(0x80)), 'InvalidKey', /multicodec/)
  refuses(() => parseDidKey('did:key:z'), 'InvalidKey', /multicodec/)
  refuses(() => parseDidKey(didKeyOf(0x12, 0x00, ...P256_POINT)), 'UnsupportedKeyType', /0x12/)
})

test('text that is not a did:key is refused with its value, bounded', () => {
  refuses(
    () => parseDidKey('did:plc:ewvi7nxzyoun6zhxrhs64oiz'),
    'InvalidKey',
    /"did:plc:ewvi7nxzyoun6zhxrhs64oiz"/,
  )
  refuses(() => parseDidKey(K256_KEY.replace('z', 'm')), 'InvalidKey', /base58btc/)
  refuses(() => parseDidKey(`${K256_KEY}0`), 'InvalidKey', /base58btc/)
  refuses(() => parseDidKey(`${K256_KEY}#atproto`), 'InvalidKey', /base58btc/)
  refuses(() => parseDidKey(`${K256_KEY}\n`), 'InvalidKey', /base58btc/)
  refuses(() => parseDidKey(K256_KEY.toUpperCase()), 'InvalidKey', /did:key/)
  refuses(() => parseDidKey(`did:key:z${'1'.repeat(100_000)}`), 'InvalidKey', /^.{0,200}$/)
})

test('a key has one text: leading ones and zero bytes make another', () => {
  refuses(() => parseDidKey(K256_KEY.replace('did:key:z', 'did:key:z1')), 'UnsupportedKeyType', /0x0/)
})

test('trying answers undefined where parsing throws', () => {
  assert.equal(tryParseDidKey(K256_KEY)?.didKey, K256_KEY)
  for (const value of [
    undefined,
    null,
    1,
    '',
    'did:key:',
    'did:key:z',
    'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
  ])
    assert.equal(tryParseDidKey(value), undefined)
})

test('no damage to a did:key crashes the parser, or goes unnoticed', () => {
  const random = createRandom(1)
  for (let i = 0; i < 200; i++) {
    const bytes = fromBase58btc(K256_KEY.slice('did:key:z'.length))
    bytes[random.int(bytes.length)]! ^= 1 << random.int(8)
    const damaged = didKeyOf(...bytes)
    const key = tryParseDidKey(damaged)
    if (key !== undefined) assert.equal(key.didKey, damaged)
    assert.notEqual(key?.didKey, K256_KEY)
  }
})
