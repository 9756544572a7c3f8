import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { type FuzzTarget, isSampled } from '@imago/sim/fuzz'
import type { Block } from './block-map.ts'
import { equalBytes } from './bytes.ts'
import { Cid, cidOfDrisl, cidOfRaw } from './cid.ts'
import { DataError } from './data-error.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import { decodeVarint, toHex } from './multibase.ts'
import { readCar } from './read-car.ts'
import { sha256 } from './sha256.ts'
import { writeCar } from './write-car.ts'

const ONE_IN_FOR_NAIVE = 8
const CID_BYTES = 36
const DIGEST_OFFSET = 4

const blockOf = (n: number): Block => {
  const bytes = encode({ n, text: 'x'.repeat(n * 20) })
  return { cid: cidOfDrisl(bytes), bytes }
}
const empty: Block = { cid: cidOfRaw(new Uint8Array()), bytes: new Uint8Array() }

/** Hands out no block but under the name that its bytes have, and reads what the plainest of readers reads. */
export const target: FuzzTarget = {
  name: 'car',
  seeds: () => {
    const blocks = [1, 2, 3, 12].map(blockOf)
    return [
      writeCar([blocks[0]!.cid], blocks),
      writeCar([], [...blocks.slice(0, 2), empty, ...blocks.slice(1, 3)]),
      writeCar([empty.cid, blocks[1]!.cid], []),
    ]
  },
  run(input) {
    // Hardly any change survives the hashes: so most are tried with hashes that fit, and all are as they are.
    if (!check(input)) check(withHashes(input))
  },
}

/** @returns whether it is a CAR file. */
function check(file: Uint8Array): boolean {
  let car: ReturnType<typeof readCar> | undefined
  try {
    car = readCar(file)
  } catch (error) {
    assert.ok(error instanceof DataError, `not a DataError: ${error}`)
  }
  if (isSampled(file, ONE_IN_FOR_NAIVE)) {
    const frames = naiveFrames(file)
    assert.equal(car !== undefined, frames !== undefined, `read as a CAR file or not: ${toHex(file)}`)
    if (car !== undefined) {
      const names = new Set(frames!.map(({ cid }) => toHex(cid.bytes)))
      assert.equal(car.blocks.size, names.size)
      for (const { cid, bytes } of frames!) assert.ok(equalBytes(car.blocks.get(cid)!, bytes), `${cid}`)
    }
  }
  if (car === undefined) return false
  let byteLength = 0
  for (const { bytes } of car.blocks) byteLength += bytes.length
  assert.equal(car.blocks.byteLength, byteLength)
  assert.ok(byteLength <= file.length, 'more came out than went in')
  const again = writeCar(car.roots, car.blocks)
  if (equalBytes(again, file)) return true
  // Only what stands there twice may be gone, and the order be another.
  assert.ok(again.length < file.length)
  const { roots, blocks } = readCar(again)
  assert.ok(equalBytes(writeCar(roots, blocks), again), 'written and read, it differs')
  return true
}

/** Every frame of a file that is one, each hashed by the platform. Knows no more than the specification says. */
function naiveFrames(file: Uint8Array): Block[] | undefined {
  const frames: Block[] = []
  try {
    const head = decodeVarint(file)
    let at = head.end + head.value
    const header = decode(file.slice(head.end, at)) as { version: unknown; roots: unknown }
    if (at > file.length || header.version !== 1 || Object.keys(header).length !== 2) return undefined
    if (!Array.isArray(header.roots) || !header.roots.every((root) => root instanceof Cid)) return undefined
    while (at < file.length) {
      const { value, end } = decodeVarint(file, at)
      at = end + value
      if (at > file.length || value < CID_BYTES) return undefined
      const cid = new Cid(file.slice(end, end + CID_BYTES))
      const bytes = file.slice(end + CID_BYTES, at)
      if (hash('sha256', bytes, 'hex') !== toHex(cid.digest)) return undefined
      frames.push({ cid, bytes })
    }
    return frames
  } catch {
    return undefined
  }
}

/** A copy in which every frame that is there as a whole has the digest of its bytes. */
function withHashes(file: Uint8Array): Uint8Array {
  const copy = file.slice()
  for (let at = 0, frame = 0; at < copy.length; frame++) {
    let start: number
    let end: number
    try {
      const length = decodeVarint(copy, at)
      start = length.end
      end = start + length.value
    } catch {
      break
    }
    if (end > copy.length) break
    // The first frame is the header.
    if (frame > 0 && end - start >= CID_BYTES)
      copy.set(sha256(copy.subarray(start + CID_BYTES, end)), start + DIGEST_OFFSET)
    at = end
  }
  return copy
}
