import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfRaw } from './cid.ts'
import { DataError } from './data-error.ts'
import { decode, decodeFirst } from './decode.ts'
import { encode } from './encode.ts'

// What lies right on a limit, and what differs from the canonical form as little as can be.

const refused = (code: string) => (error: unknown) => error instanceof DataError && error.code === code

test('as many entries as are allowed are decoded, and one more is not', () => {
  for (const value of [[1, 2, 3], { a: 1, b: 2, c: 3 }]) {
    const bytes = encode(value)
    assert.deepEqual(decode(bytes, { maxEntries: 3 }), value)
    assert.throws(() => decode(bytes, { maxEntries: 2 }), refused('LimitExceeded'))
  }
})

test('a link is of 37 bytes, whatever follows it', () => {
  const link = encode(cidOfRaw(new Uint8Array(3)))
  assert.equal(link[3], 37)
  for (const length of [36, 38, 0xff]) {
    const bytes = Uint8Array.of(0x82, ...link.with(3, length), 0x00)
    assert.throws(() => decode(bytes), refused('InvalidCbor'))
  }
})

test('a key that was seen before is held to the limit as well', () => {
  const bytes = encode({ 'a key of some length': 1 })
  assert.deepEqual(decode(bytes), { 'a key of some length': 1 })
  assert.throws(() => decode(bytes, { maxKeyBytes: 10 }), refused('LimitExceeded'))
})

test('a key that followed another one is not expected where something else stands', () => {
  // Twice: what follows what is noted, then looked for.
  const refuse = (...bytes: number[]) => assert.throws(() => decode(Uint8Array.from(bytes)), DataError)
  for (let round = 0; round < 3; round++) {
    for (const name of ['b', 'bc', 'bcd', 'bcde', 'bcdefghi', 'b'.repeat(30)])
      for (const value of [
        { a: 1, [name]: 2 },
        { a: 1, [`${name.slice(0, -1)}X`]: 2 },
        { a: 1, [`${name}b`]: 2 },
        { a: 1, [name.replace(/^b(.*)/, 'X$1')]: 2 },
        { a: 1, [name.replace(/(....).(....)/, '$1X$2')]: 2 },
        { a: 1, [name]: 2, z00: 3 },
        { [name]: 2 },
      ])
        assert.deepEqual(decode(encode(value)), value)
    refuse(0xa2, 0x61, 0x62, 0x01, 0x61, 0x61, 0x01, 0xff, 0xff)
    refuse(0xa2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x01, 0xff, 0xff)
    refuse(0xa2, 0x61, 0x61, 0x01, 0x61, 0x62)
  }
  const bytes = encode({ a: 1, 'a key of some length': 1 })
  for (let round = 0; round < 3; round++) decode(bytes)
  assert.throws(() => decode(bytes, { maxKeyBytes: 10 }), refused('LimitExceeded'))
})

test('behind a key that nothing has followed yet, nothing is expected', () => {
  const only = [0x6a, ...new TextEncoder().encode('onlythisno')]
  const refuse = (...next: number[]) =>
    assert.throws(() => decodeFirst(Uint8Array.of(0xa2, ...only, 0x01, ...next)), refused('InvalidCbor'))
  for (let round = 0; round < 3; round++) {
    decode(Uint8Array.of(0xa1, ...only, 0x01))
    refuse(0x00, 0x00, 0x00, 0x00, 0x00)
  }
  // Texts enough that each place for one holds one of these; each is known, and would come too late.
  const names = Array.from({ length: 4000 }, (_, i) => `${i.toString(36).padStart(4, '0')}`)
  for (const name of names) decode(encode({ [name]: 1 }))
  decode(Uint8Array.of(0xa1, ...only, 0x01))
  for (const name of names.toReversed()) refuse(0x64, ...new TextEncoder().encode(name), 0x01)
})

test('keys and type names that differ in one character are not taken for one another', () => {
  const text = 'app.bsky.feed'
  for (let round = 0; round < 2; round++)
    for (let at = 0; at < text.length; at++) {
      const other = `${text.slice(0, at)}X${text.slice(at + 1)}`
      for (const name of [text, other, text]) {
        assert.deepEqual(decode(encode({ [name]: 1 })), { [name]: 1 })
        assert.deepEqual(decode(encode({ $type: name })), { $type: name })
      }
    }
})

test('an input ends where it ends, though its memory goes on', () => {
  const value = {
    $type: 'app.bsky.feed.like',
    a: [1, 300, 70_000, 2 ** 40],
    link: cidOfRaw(new Uint8Array(3)),
  }
  const bytes = encode({ ...value, z: { $type: 'app.bsky.feed.like' } })
  for (let round = 0; round < 2; round++)
    for (let length = 0; length < bytes.length; length++)
      assert.throws(() => decodeFirst(bytes.subarray(0, length)), refused('InvalidCbor'), String(length))
  const type = encode({ $type: 'app.bsky.feed.like' })
  for (let cut = 1; cut < 10; cut++)
    assert.throws(() => decodeFirst(type.subarray(0, -cut)), refused('InvalidCbor'))
})

test('places in messages count from the beginning of the input', () => {
  const memory = Uint8Array.of(0, 0, 0, 0x82, 1, 0xf7, 0)
  for (const at of [0, 2, 3]) {
    const message = new RegExp(`at byte ${5 - at} of ${6 - at}, \`undefined\``)
    assert.throws(() => decodeFirst(memory.subarray(at, 6), 3 - at), { message })
  }
})

test('arrays of any length come back as they were', () => {
  for (const length of [0, 1, 63, 64, 65, 66, 300]) {
    const array = Array.from({ length }, (_, i) => i)
    assert.deepEqual(decode(encode(array)), array)
    assert.deepEqual(decode(encode(array)), array)
  }
})

test('maps of any size around what fits the first byte come back as they were', () => {
  for (const size of [22, 23, 24, 25, 255, 256]) {
    const names = Array.from({ length: size }, (_, i) => `k${String(i).padStart(4, '0')}`)
    for (const order of [names, names.toReversed()]) {
      const map = Object.fromEntries(order.map((name, i) => [name, i]))
      assert.deepEqual(decode(encode(map)), map)
    }
  }
})
