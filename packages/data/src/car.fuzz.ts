import assert from 'node:assert/strict'
import type { FuzzTarget } from '@imago/sim/fuzz'
import type { Block } from './block-map.ts'
import { equalBytes } from './bytes.ts'
import { cidOfDrisl, cidOfRaw, DRISL_CODEC } from './cid.ts'
import { DataError } from './data-error.ts'
import { encode } from './encode.ts'
import { decodeVarint } from './multibase.ts'
import { readCar } from './read-car.ts'
import { sha256 } from './sha256.ts'
import { writeCar } from './write-car.ts'

const CID_BYTES = 36
const DIGEST_OFFSET = 4

const blockOf = (n: number): Block => {
  const bytes = encode({ n, text: 'x'.repeat(n * 20) })
  return { cid: cidOfDrisl(bytes), bytes }
}
const empty: Block = { cid: cidOfRaw(new Uint8Array()), bytes: new Uint8Array() }

/** Hands out no block but under the name that its bytes have. */
export const target: FuzzTarget = {
  name: 'car',
  seeds: () => {
    const blocks = [1, 2, 3, 12].map(blockOf)
    return [
      writeCar([blocks[0]!.cid], blocks),
      writeCar([], [...blocks, empty, ...blocks]),
      writeCar([empty.cid, blocks[1]!.cid], []),
    ]
  },
  run(input) {
    check(input)
    // Hardly any change survives the hashes: so the same once more with hashes that fit.
    check(withHashes(input))
  },
}

function check(file: Uint8Array): void {
  let car: ReturnType<typeof readCar>
  try {
    car = readCar(file)
  } catch (error) {
    assert.ok(error instanceof DataError, `not a DataError: ${error}`)
    return
  }
  let byteLength = 0
  for (const { cid, bytes } of car.blocks) {
    const name = cid.codec === DRISL_CODEC ? cidOfDrisl(bytes) : cidOfRaw(bytes)
    assert.ok(name.equals(cid), `${cid} names other bytes`)
    assert.ok(equalBytes(car.blocks.get(name)!, bytes), `${cid} is not found by its name`)
    byteLength += bytes.length
  }
  assert.equal(car.blocks.byteLength, byteLength)
  assert.ok(byteLength <= file.length, 'more came out than went in')
  const again = writeCar(car.roots, car.blocks)
  assert.ok(again.length <= file.length)
  assert.ok(
    equalBytes(writeCar(readCar(again).roots, readCar(again).blocks), again),
    'written and read, it differs',
  )
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
