import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { BlockMap, type Cid, cidOfDrisl } from '@imago/data'
import { keyHeight } from './key-height.ts'
import { Link } from './link.ts'
import { Mst } from './mst.ts'
import { decodeNode, encodeNode } from './node-codec.ts'
import { RepoError } from './repo-error.ts'
import { verifyTree } from './verify-tree.ts'

// What differs from a canonical tree as little as can be.

const link = Link.of(cidOfDrisl(Uint8Array.of(1)))

/** Half the leading zero bits of SHA-256, bit by bit. */
function heightByBits(key: string): number {
  const bits = [...createHash('sha256').update(key).digest()]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
  return bits.indexOf('1') >> 1
}

/** The first key of a height, of those that come after `after`. */
function keyOf(height: number, after: string): string {
  for (let n = 0; ; n++) if (keyHeight(`${after}${n}`) === height) return `${after}${n}`
}

function blockOfNode(keys: readonly string[], links: readonly (Link | null)[]): Uint8Array {
  return encodeNode({ keys, values: keys.map(() => link), links }).slice()
}

const isInvalidMst = (error: unknown) => error instanceof RepoError && error.code === 'InvalidMst'

test('a key of any length stands at the height that its bits say', () => {
  for (let n = 0; n < 4000; n++)
    for (const key of [`com.example.a/${n}`, `com.example.a/${'x'.repeat(60)}${n}`])
      assert.equal(keyHeight(key), heightByBits(key), key)
})

test('keys of which a later one has another height share none', () => {
  const [a, b, c] = [keyOf(0, 'com.example.a/a'), keyOf(0, 'com.example.a/b'), keyOf(1, 'com.example.a/c')]
  const d = keyOf(0, 'com.example.a/d')
  const heightOf = (...keys: string[]) =>
    decodeNode(blockOfNode(keys, [null, ...keys.map(() => null)])).height
  assert.equal(heightOf(a, b, d), 0)
  for (const keys of [
    [a, c],
    [c, d],
    [a, b, c],
    [a, c, d],
    [a, b, c, d],
  ])
    assert.equal(heightOf(...keys), -1)
})

test('a node’s counts and lengths are in their shortest form', () => {
  const block = blockOfNode([keyOf(0, 'com.example.a/a')], [null, null])
  assert.equal(decodeNode(block).keys.length, 1)
  // a2 61 65 <count> a4 61 6b <length of the key> …
  for (const at of [3, 7]) {
    const head = block[at]!
    const argument = head & 0x1f
    assert.ok(argument < 24)
    for (const wider of [
      [(head & 0xe0) | 24, argument],
      [(head & 0xe0) | 25, 0, argument],
    ]) {
      const bad = Uint8Array.of(...block.subarray(0, at), ...wider, ...block.subarray(at + 1))
      assert.throws(() => decodeNode(bad), isInvalidMst)
    }
  }
  const long = blockOfNode([keyOf(0, `com.example.a/${'x'.repeat(20)}`)], [null, null])
  assert.equal(long[7], 0x58)
  const bad = Uint8Array.of(...long.subarray(0, 7), 0x59, 0, ...long.subarray(8))
  assert.throws(() => decodeNode(bad), isInvalidMst)
})

test('what hangs between two keys comes between them', () => {
  const [a, c] = [keyOf(1, 'com.example.a/a'), keyOf(1, 'com.example.a/c')]
  for (const [prefix, fits] of [
    ['com.example.a/A', false],
    ['com.example.a/b', true],
    ['com.example.a/d', false],
  ] as const) {
    const blocks = new BlockMap()
    const child = blocks.add(blockOfNode([keyOf(0, prefix)], [null, null]))
    const root: Cid = blocks.add(blockOfNode([a, c], [null, Link.of(child), null]))
    const verify = () => verifyTree(Mst.open(blocks, root))
    if (fits) verify()
    else assert.throws(verify, isInvalidMst)
  }
})
