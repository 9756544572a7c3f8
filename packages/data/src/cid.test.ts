import assert from 'node:assert/strict'
import test from 'node:test'
import { inspect } from 'node:util'
import { vectorTest } from '@imago/sim/infrastructure'
import {
  Cid,
  cidFromBytes,
  cidFromDigest,
  cidOfDrisl,
  cidOfRaw,
  DRISL_CODEC,
  isCid,
  isCidText,
  parseCid,
  RAW_CODEC,
  tryParseCid,
} from './cid.ts'
import { fromHex, toBase32 } from './multibase.ts'
import { sha256 } from './sha256.ts'

/** SHA-256 of nothing. */
const EMPTY_DIGEST = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

test('a CID is made of bytes, a digest or text, and all agree', () => {
  const cid = cidOfDrisl(new Uint8Array())
  assert.deepEqual(cid.bytes, fromHex(`01711220${EMPTY_DIGEST}`))
  assert.equal(cid.codec, DRISL_CODEC)
  assert.deepEqual(cid.digest, fromHex(EMPTY_DIGEST))
  assert.equal(cid.toString(), `bafyrei${cid.toString().slice(7)}`)
  assert.ok(parseCid(cid.toString()).equals(cid))
  assert.ok(cidFromDigest(DRISL_CODEC, fromHex(EMPTY_DIGEST)).equals(cid))
  assert.ok(cidFromBytes(cid.bytes).equals(cid))
  assert.deepEqual(parseCid(`${cid}`), cid)
  assert.equal(JSON.stringify({ cid }), `{"cid":{"$link":"${cid}"}}`)
  assert.equal(inspect(cid), `Cid(${cid})`)
  assert.ok(isCid(cid))
  assert.ok(!isCid(cid.bytes))
})

test('the codec is part of a CID', () => {
  const bytes = Uint8Array.of(1, 2, 3)
  const raw = cidOfRaw(bytes)
  assert.equal(raw.codec, RAW_CODEC)
  assert.match(raw.toString(), /^bafkrei/)
  assert.deepEqual(raw.digest, sha256(bytes))
  assert.ok(!raw.equals(cidOfDrisl(bytes)))
})

test('bytes that are not the CID of atproto are refused', () => {
  const { bytes } = cidOfRaw(new Uint8Array())
  const refused: Uint8Array[] = [
    new Uint8Array(),
    bytes.subarray(0, 35),
    Uint8Array.of(...bytes, 0),
    bytes.with(0, 0), // version
    bytes.with(0, 2),
    bytes.with(1, 0x70), // dag-pb
    bytes.with(1, 0x51), // cbor
    bytes.with(2, 0x13), // sha2-512
    bytes.with(3, 31),
    fromHex(`1220${EMPTY_DIGEST}`), // version 0
  ]
  for (const bad of refused)
    for (const source of [bad, new DataView(bad.buffer, bad.byteOffset, bad.length)])
      assert.throws(() => new Cid(source), { name: 'DataError', code: 'InvalidCid' }, String(bad))
  assert.throws(() => cidFromDigest(0x70, bytes.subarray(4)), { code: 'InvalidCid' })
  assert.throws(() => cidFromDigest(RAW_CODEC, bytes), { code: 'InvalidCid' })
})

test('text in any other form is refused', () => {
  const text = cidOfDrisl(new Uint8Array()).toString()
  const refused = [
    '',
    'b',
    text.toUpperCase(),
    text.slice(1),
    `z${text.slice(1)}`,
    `${text}=`,
    `${text} `,
    text.slice(0, -1),
    `${text.slice(0, -1)}1`,
    `${text.slice(0, -1)}é`,
    // The last character carries two bits too many.
    `${text.slice(0, -1)}${String.fromCharCode(text.charCodeAt(58) + 1)}`,
    `b${toBase32(Uint8Array.of(0, ...cidOfRaw(new Uint8Array()).bytes.subarray(1)))}`,
  ]
  for (const bad of refused) {
    assert.throws(() => parseCid(bad), { code: 'InvalidCid' }, bad)
    assert.equal(tryParseCid(bad), undefined)
    assert.ok(!isCidText(bad))
  }
  assert.equal(tryParseCid(undefined), undefined)
  assert.ok(!isCidText(undefined))
  assert.ok(tryParseCid(text)?.equals(parseCid(text)))
})

test('what is the text of a CID is told without making it', () => {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567189-='
  for (const cid of [cidOfDrisl(Uint8Array.of(1)), cidOfRaw(Uint8Array.of(2))]) {
    const text = cid.toString()
    assert.ok(isCidText(text))
    for (let at = 0; at < text.length; at++)
      for (const character of alphabet) {
        const other = text.slice(0, at) + character + text.slice(at + 1)
        assert.equal(isCidText(other), tryParseCid(other) !== undefined, other)
      }
  }
})

vectorTest('CIDs of other kinds, and what is no CID at all, are refused', (vectors) => {
  for (const list of ['valid', 'invalid']) {
    const lines = vectors.lines(`atproto-interop-tests/syntax/cid_syntax_${list}.txt`)
    assert.ok(lines.length > 5)
    // The valid ones are in other bases, of other codecs or of version 0.
    for (const line of lines) assert.equal(tryParseCid(line), undefined, line)
  }
})

test('a CID is read where it stands, and keeps nothing of what it was read from', () => {
  const cid = cidOfDrisl(Uint8Array.of(1))
  const file = new Uint8Array(100)
  cid.writeTo(file, 50)
  const read = new Cid(file, 50)
  assert.ok(read.isAt(file, 50))
  assert.ok(new Cid(new DataView(file.buffer), 50).equals(cid))
  assert.throws(() => new Cid(new DataView(file.buffer), 65), { code: 'InvalidCid' })
  file.fill(0)
  assert.ok(read.equals(cid))
  assert.deepEqual(read.bytes, cid.bytes)
  assert.ok(!read.isAt(file, 50))
  assert.ok(!read.isAt(cid.bytes.with(1, 0x55), 0))
  assert.throws(() => new Cid(cid.bytes, 1), { code: 'InvalidCid' })
  assert.throws(() => new Cid(file, 65), { code: 'InvalidCid' })
  for (let at = 4; at < 36; at++) assert.ok(!cid.equals(new Cid(cid.bytes.with(at, cid.bytes[at]! ^ 0x80))))
})
