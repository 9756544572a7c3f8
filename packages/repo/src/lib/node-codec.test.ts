import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfRaw, type DataMap, decode, encode, type Value } from '@imago/data'
import { vectorTest } from '@imago/sim/infrastructure'
import { createRandom } from '@imago/sim/random'
import { commonPrefixLength } from './key.ts'
import { Link } from './link.ts'
import { Mst } from './mst.ts'
import { cidOf, pathOf, randomEntries } from './naive-tree.fixture.ts'
import { decodeNode, encodeNode } from './node-codec.ts'
import { RepoError } from './repo-error.ts'

const linkOf = (n: number) => Link.of(cidOf(n))
const nodes = [0, 1, 5, 400].flatMap((size) => [...Mst.from(randomEntries(createRandom(size), size)).nodes()])

test('blocks of nodes are what the generic encoder makes, and come back as they were', () => {
  assert.ok(nodes.length > 50)
  for (const { bytes } of nodes) {
    assert.deepEqual(encode(decode(bytes)), bytes)
    assert.deepEqual(encodeNode(decodeNode(bytes)), bytes)
  }
})

test('long keys and long prefixes keep their lengths', () => {
  const keys = ['a/', 'a/b', 'a/bb'].map((start) => start + 'c'.repeat(1000)).sort()
  const node = { keys, values: keys.map((_, n) => linkOf(n)), links: [null, null, linkOf(9), null] }
  const bytes = encodeNode(node)
  assert.deepEqual(encode(decode(bytes)), bytes)
  assert.deepEqual(decodeNode(bytes).keys, keys)
})

type Entry = { k: Uint8Array; p: number; t: Value; v: Value }
const key = (text: string) => new TextEncoder().encode(text)
const entry = (k: string, change: DataMap = {}): DataMap => ({
  p: 0,
  k: key(k),
  v: cidOf(1),
  t: null,
  ...change,
})

test('what the generic decoder reads and is no node in canonical form is refused', () => {
  const rows: [why: string, value: Value][] = [
    ['an array', []],
    ['no fields', {}],
    ['l missing', { e: [] }],
    ['e missing', { l: null }],
    ['a third field', { l: null, e: [], x: 1 }],
    ['l a number', { l: 1, e: [] }],
    ['l a raw block', { l: cidOfRaw(key('x')), e: [] }],
    ['e a map', { l: null, e: {} }],
    ['an entry that is null', { l: null, e: [null] }],
    ['an entry without t', { l: null, e: [{ p: 0, k: key('a/b'), v: cidOf(1) }] }],
    ['an entry with more', { l: null, e: [entry('a/b', { x: 1 })] }],
    ['a key that is text', { l: null, e: [entry('a/b', { k: 'a/b' })] }],
    ['a value that is null', { l: null, e: [entry('a/b', { v: null })] }],
    ['a value that is raw', { l: null, e: [entry('a/b', { v: cidOfRaw(key('x')) })] }],
    ['a link that is a number', { l: null, e: [entry('a/b', { t: 7 })] }],
    ['a first prefix', { l: null, e: [entry('a/b', { p: 1 })] }],
    ['a negative prefix', { l: null, e: [entry('a/b'), entry('c', { p: -1 })] }],
    ['a prefix longer than the key before', { l: null, e: [entry('a/b'), entry('c', { p: 4 })] }],
    ['a prefix shorter than it can be', { l: null, e: [entry('a/b'), entry('/c', { p: 1 })] }],
    ['no prefix where there is one', { l: null, e: [entry('a/b'), entry('a/c')] }],
    ['keys that descend', { l: null, e: [entry('a/c'), entry('b', { p: 2 })] }],
    ['a key twice', { l: null, e: [entry('a/b'), entry('', { p: 3 })] }],
    ['a key that begins the one before it', { l: null, e: [entry('a/bb'), entry('', { p: 3 })] }],
    ['an empty key', { l: null, e: [entry('')] }],
    ['no slash', { l: null, e: [entry('ab')] }],
    ['two slashes', { l: null, e: [entry('a/b/c')] }],
    ['nothing before the slash', { l: null, e: [entry('/b')] }],
    ['nothing after the slash', { l: null, e: [entry('a/')] }],
    ['a character that is none of a path', { l: null, e: [entry('a/b c')] }],
    ['a byte beyond ASCII', { l: null, e: [entry('a/ü')] }],
    ['a key of 1025', { l: null, e: [entry(`a/${'b'.repeat(1023)}`)] }],
    [
      'a key of 1025 with its prefix',
      { l: null, e: [entry(`a/${'b'.repeat(1000)}`), entry('c'.repeat(23), { p: 1002 })] },
    ],
  ]
  for (const [why, value] of rows)
    assert.throws(
      () => decodeNode(encode(value)),
      (error) => error instanceof RepoError && error.code === 'InvalidMst',
      why,
    )
})

test('more than 256 entries are refused before they are read', () => {
  const keys = Array.from({ length: 257 }, (_, n) => `a/${String(n).padStart(3, '0')}`)
  const block = (count: number) =>
    encodeNode({
      keys: keys.slice(0, count),
      values: keys.slice(0, count).map((_, n) => linkOf(n)),
      links: Array.from({ length: count + 1 }, () => null),
    })
  assert.equal(decodeNode(block(256)).keys.length, 256)
  assert.throws(
    () => decodeNode(block(257)),
    (error) => error instanceof RepoError && error.code === 'LimitExceeded',
  )
})

test('no block is cut short, goes on, or has two forms: what decodes encodes to the same bytes', () => {
  const random = createRandom(8)
  for (let i = 0; i < 1000; i++) {
    const { bytes } = random.pick(nodes)
    const changed = bytes.slice(0, random.chance(0.2) ? random.int(bytes.length) : bytes.length)
    for (let n = random.int(3); n > 0 && changed.length > 0; n--)
      changed[random.int(changed.length)] = random.int(256)
    try {
      assert.deepEqual(encodeNode(decodeNode(changed)), changed)
    } catch (error) {
      assert.ok(error instanceof RepoError, String(error))
    }
    assert.throws(() => decodeNode(Uint8Array.of(...bytes, 0)), /after the node/)
  }
})

vectorTest('common prefixes of the interoperability vectors', (vectors) => {
  const rows = vectors.json<{ left: string; right: string; len: number }[]>(
    'atproto-interop-tests/mst/common_prefix.json',
  )
  assert.ok(rows.length > 10)
  // Counted there in bytes; keys are ASCII, where bytes are characters.
  const ascii = rows.filter(({ left, right }) => /^[\0-\x7f]*$/.test(left + right))
  for (const { left, right, len } of ascii) assert.equal(commonPrefixLength(left, right), len)
})

test('an entry that says what its kind has to say is read', () => {
  const node = decode(encodeNode(decodeNode(encode({ l: null, e: [entry(pathOf(1))] })))) as { e: Entry[] }
  assert.equal(node.e.length, 1)
})
