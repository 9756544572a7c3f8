import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import test from 'node:test'
import fc from 'fast-check'
import * as multibase from './multibase.ts'

const ascii = (text: string) => new TextEncoder().encode(text)

test('vectors of RFC 4648', () => {
  const vectors: [text: string, base64: string, base32: string, hex: string][] = [
    ['', '', '', ''],
    ['f', 'Zg', 'my', '66'],
    ['fo', 'Zm8', 'mzxq', '666f'],
    ['foo', 'Zm9v', 'mzxw6', '666f6f'],
    ['foob', 'Zm9vYg', 'mzxw6yq', '666f6f62'],
    ['fooba', 'Zm9vYmE', 'mzxw6ytb', '666f6f6261'],
    ['foobar', 'Zm9vYmFy', 'mzxw6ytboi', '666f6f626172'],
  ]
  for (const [text, base64, base32, hex] of vectors) {
    const bytes = ascii(text)
    assert.equal(multibase.toBase64(bytes), base64)
    assert.equal(multibase.toBase64url(bytes), base64)
    assert.equal(multibase.toBase32(bytes), base32)
    assert.equal(multibase.toHex(bytes), hex)
    assert.deepEqual(multibase.fromBase64(base64), bytes)
    assert.deepEqual(multibase.fromBase64(Buffer.from(bytes).toString('base64')), bytes)
    assert.deepEqual(multibase.fromBase64url(base64), bytes)
    assert.deepEqual(multibase.fromBase32(base32), bytes)
    assert.deepEqual(multibase.fromHex(hex), bytes)
  }
  assert.equal(multibase.toBase64(Uint8Array.of(0xfb, 0xff)), '+/8')
  assert.equal(multibase.toBase64url(Uint8Array.of(0xfb, 0xff)), '-_8')
  assert.deepEqual(multibase.fromHex('DEADbeef'), Uint8Array.of(0xde, 0xad, 0xbe, 0xef))
})

test('vectors of base58btc', () => {
  const vectors: [bytes: Uint8Array, base58: string][] = [
    [new Uint8Array(), ''],
    [Uint8Array.of(0), '1'],
    [Uint8Array.of(0, 0, 1), '112'],
    [ascii('Hello World!'), '2NEpo7TZRRrLZSi2U'],
    [
      ascii('The quick brown fox jumps over the lazy dog.'),
      'USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z',
    ],
    [multibase.fromHex('0000287fb4cd'), '11233QC4'],
  ]
  for (const [bytes, base58] of vectors) {
    assert.equal(multibase.toBase58btc(bytes), base58)
    assert.deepEqual(multibase.fromBase58btc(base58), bytes)
  }
})

test('all bytes come back, and Node agrees', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const buffer = Buffer.from(bytes)
      assert.equal(multibase.toHex(bytes), buffer.toString('hex'))
      assert.equal(multibase.toBase64(bytes), buffer.toString('base64').replace(/=+$/, ''))
      assert.equal(multibase.toBase64url(bytes), buffer.toString('base64url'))
      assert.deepEqual(multibase.fromHex(multibase.toHex(bytes)), bytes)
      assert.deepEqual(multibase.fromBase64(buffer.toString('base64')), bytes)
      assert.deepEqual(multibase.fromBase64url(buffer.toString('base64url')), bytes)
      assert.deepEqual(multibase.fromBase32(multibase.toBase32(bytes)), bytes)
      assert.deepEqual(multibase.fromBase58btc(multibase.toBase58btc(bytes)), bytes)
    }),
    { numRuns: 150, seed: 4 },
  )
})

test('everything that is not canonical is refused', () => {
  const refused: [decode: (text: string) => Uint8Array, texts: string[]][] = [
    [
      multibase.fromBase64,
      [
        'Z',
        'Zg=',
        'Zg===',
        'Z===',
        '=',
        '====',
        'Zh',
        'Zm9',
        'Zm9v=',
        ' Zg',
        'Zg\n',
        'Zg-_',
        'Zgé0',
        'Zg==Zg==',
      ],
    ],
    [multibase.fromBase64url, ['Z', 'Zg==', 'Zm8=', 'Zh', '+/8', ' ', 'é']],
    [multibase.fromBase32, ['m', 'MY', 'my======', 'mz', 'mzx', 'm1', 'mzxw6y', 'é']],
    [multibase.fromHex, ['6', '6g', '0x66', '66 ', '666']],
    [multibase.fromBase58btc, ['0', 'O', 'I', 'l', ' 2', 'é', '😀']],
  ]
  for (const [decode, texts] of refused)
    for (const text of texts)
      assert.throws(() => decode(text), { name: 'DataError', code: 'InvalidMultibase' }, JSON.stringify(text))
})

test('base58btc has a bound, for its time grows with the square', () => {
  assert.equal(multibase.fromBase58btc('2'.repeat(1024)).length, 750)
  assert.throws(() => multibase.fromBase58btc('2'.repeat(1025)), { code: 'LimitExceeded' })
  assert.throws(() => multibase.toBase58btc(new Uint8Array(1025)), { code: 'LimitExceeded' })
})

test('varints: minimal, safe, and where they end', () => {
  const vectors: [number, string][] = [
    [0, '00'],
    [1, '01'],
    [127, '7f'],
    [128, '8001'],
    [255, 'ff01'],
    [300, 'ac02'],
    [16_384, '808001'],
    [2 ** 32, '8080808010'],
    [Number.MAX_SAFE_INTEGER, 'ffffffffffffff0f'],
  ]
  for (const [value, hex] of vectors) {
    assert.equal(multibase.toHex(multibase.encodeVarint(value)), hex)
    assert.deepEqual(multibase.decodeVarint(multibase.fromHex(`aa${hex}bb`), 1), {
      value,
      end: 1 + hex.length / 2,
    })
  }
  for (const hex of [
    '',
    '80',
    'ffff',
    '8000',
    '808000',
    'ffffffffffffff1f',
    'ffffffffffffffff01',
    '80'.repeat(9) + '01',
  ])
    assert.throws(() => multibase.decodeVarint(multibase.fromHex(hex)), { code: 'InvalidMultibase' }, hex)
  for (const value of [-1, 1.5, 2 ** 53, Number.NaN])
    assert.throws(() => multibase.encodeVarint(value), { code: 'InvalidValue' })
})
