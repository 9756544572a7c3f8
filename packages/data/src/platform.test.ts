import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { compareBytes, concatBytes, equalBytes } from './bytes.ts'
import * as node from './lib/sha256-node.ts'
import * as portable from './lib/sha256-portable.ts'
import * as nodeUtf8 from './lib/utf8-node.ts'
import * as portableUtf8 from './lib/utf8-portable.ts'
import { toHex } from './multibase.ts'
import { sha256 } from './sha256.ts'

test('SHA-256: known answers, the same on every platform', () => {
  const abc = new TextEncoder().encode('abc')
  assert.equal(toHex(sha256(abc)), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  const random = createRandom(5)
  for (let length = 0; length < 140; length++) {
    const bytes = random.bytes(length)
    const digest = sha256(bytes)
    assert.equal(digest.constructor, Uint8Array)
    assert.deepEqual(digest, portable.sha256(bytes))
    assert.deepEqual(sha256(concatBytes([Uint8Array.of(0), bytes]).subarray(1)), digest)
    const stored = concatBytes([Uint8Array.of(9), digest])
    for (const { hasSha256, writeSha256 } of [node, portable]) {
      const written = Uint8Array.of(9, ...new Uint8Array(32))
      writeSha256(bytes, written, 1)
      assert.deepEqual(written, stored)
      assert.ok(hasSha256(bytes, stored, 1))
      assert.ok(!hasSha256(bytes, stored.with(32, stored[32]! ^ 1), 1))
      assert.ok(!hasSha256(concatBytes([bytes, Uint8Array.of(0)]), stored, 1))
    }
  }
})

test('UTF-8 is read and written the same on every platform', () => {
  const random = createRandom(6)
  const texts = ['a', 'ö', '€', '\ufffd', '\ufeffa', '😀', 'grüß 😀'].map((text) =>
    new TextEncoder().encode(text),
  )
  const parts = [...texts, Uint8Array.of(0xed, 0xa0, 0x80), Uint8Array.of(0xc0, 0x80), Uint8Array.of(0xff)]
  let invalid = 0
  for (let run = 0; run < 1000; run++) {
    const bytes = random.chance(0.3)
      ? random.bytes(random.int(8))
      : concatBytes(
          Array.from({ length: random.int(8) }, () => random.pick(random.chance(0.9) ? texts : parts)),
        )
    const padded = concatBytes([Uint8Array.of(0x61), bytes, Uint8Array.of(0xff)])
    const text = portableUtf8.decodeUtf8(padded, 1, padded.length - 1)
    assert.equal(nodeUtf8.decodeUtf8(padded, 1, padded.length - 1), text)
    const words = new DataView(padded.buffer)
    assert.equal(nodeUtf8.decodeUtf8(padded, 1, padded.length - 1, words), text)
    if (text === undefined) {
      invalid++
      continue
    }
    for (const { writeUtf8 } of [nodeUtf8, portableUtf8]) {
      const buffer = new Uint8Array(bytes.length + 10)
      assert.equal(writeUtf8(text, buffer, 5), bytes.length)
      assert.deepEqual(buffer.subarray(5, 5 + bytes.length), bytes)
    }
  }
  assert.ok(invalid > 20)
})

test('text that is nearly all ASCII is read the same on every platform, whatever stands where in it', () => {
  const strangers = ['ö', '\u0080', '\u00ff', '\u0100', '€', '😀'].map((text) =>
    new TextEncoder().encode(text),
  )
  const faults = [[0xff], [0x80], [0xc1, 0xbf], [0xc2], [0xc2, 0x41], [0xc3, 0xc0], [0xc4, 0x41]].map(
    (list) => Uint8Array.from(list),
  )
  const a = (count: number) => new Uint8Array(count).fill(0x61)
  for (const length of [0, 1, 3, 4, 5, 7, 8, 15, 16, 17, 31, 40, 1022, 1024, 1030])
    for (const [i, stranger] of [...strangers, ...faults].entries())
      for (const before of [0, 1, 2, 3, 4, 6, 9, 16, 21, length].filter((count) => count <= length)) {
        const bytes = concatBytes([a(3), a(before), stranger, a(length - before), Uint8Array.of(0xbf)])
        const words = new DataView(bytes.buffer)
        const text = portableUtf8.decodeUtf8(bytes, 3, bytes.length - 1)
        assert.equal(text === undefined, i >= strangers.length)
        assert.equal(nodeUtf8.decodeUtf8(bytes, 3, bytes.length - 1, words), text)
        assert.equal(nodeUtf8.decodeUtf8(bytes, 0, 3 + before, words), 'a'.repeat(3 + before))
      }
})

test('bytes: order, equality, joining', () => {
  const sorted = [[], [0], [0, 0], [0, 255], [1], [127], [128], [255, 0], [255, 255]].map((list) =>
    Uint8Array.from(list),
  )
  for (const [i, a] of sorted.entries())
    for (const [j, b] of sorted.entries()) {
      assert.equal(Math.sign(compareBytes(a, b)), Math.sign(i - j))
      assert.equal(equalBytes(a, b), i === j)
    }
  assert.deepEqual(concatBytes(sorted.slice(1, 4)), Uint8Array.of(0, 0, 0, 0, 255))
  assert.deepEqual(concatBytes([]), new Uint8Array())
})
