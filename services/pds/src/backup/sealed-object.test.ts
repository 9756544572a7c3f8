import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { deriveBackupKeys } from './backup-keys.ts'
import { collect, open, SALT_BYTES, seal } from './sealed-object.ts'

const SEGMENT = 256 * 1024
const keys = deriveBackupKeys(new Uint8Array(32).fill(1))
const salt = new Uint8Array(SALT_BYTES).fill(2)
const random = createRandom(3)

const sealed = (bytes: Uint8Array, place = 'a/b') => collect(seal(keys, place, pieces(bytes, 100_000), salt))
const opened = (bytes: Uint8Array, place = 'a/b') => collect(open(keys, place, pieces(bytes, 70_001)))

async function* pieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test('what was sealed opens to the same, at every size around the edges of segments', async () => {
  for (const size of [0, 1, 1000, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT + 5]) {
    const bytes = random.bytes(size)
    const segments = Math.max(1, Math.ceil(size / SEGMENT))
    const object = await sealed(bytes)
    assert.equal(object.length, SALT_BYTES + size + 16 * segments)
    assert.deepEqual(Buffer.from(await opened(object)), Buffer.from(bytes), `${size} bytes`)
  }
})

test('whatever is changed, cut off, added, moved or put elsewhere is refused, with the name of the place', async () => {
  const bytes = random.bytes(2 * SEGMENT + 100)
  const object = await sealed(bytes)
  const [first, second, last] = [0, 1, 2].map((n) =>
    object.subarray(SALT_BYTES + n * (SEGMENT + 16), SALT_BYTES + (n + 1) * (SEGMENT + 16)),
  ) as [Uint8Array, Uint8Array, Uint8Array]
  const joined = (...parts: Uint8Array[]) => Buffer.concat([object.subarray(0, SALT_BYTES), ...parts])
  const changes: Record<string, Uint8Array> = {
    'nothing left': new Uint8Array(0),
    'half a salt': object.subarray(0, 8),
    'only the salt': object.subarray(0, SALT_BYTES),
    'one byte short': object.subarray(0, -1),
    'without its last segment': joined(first, second),
    'without its first segment': joined(second, last),
    'segments in another order': joined(second, first, last),
    'a segment twice': joined(first, first, second, last),
    'something after the end': joined(first, second, last, new Uint8Array(1)),
    'an empty segment after the end': joined(first, second, last, new Uint8Array(16)),
  }
  for (const position of [0, SALT_BYTES, SALT_BYTES + SEGMENT, object.length - 1])
    changes[`another byte at ${position}`] = object.with(position, object[position]! ^ 0x80)
  for (const [what, changed] of Object.entries(changes))
    await assert.rejects(opened(changed), { code: 'Damaged', key: 'a/b' }, what)
  await assert.rejects(opened(object, 'a/c'), { code: 'Damaged', key: 'a/c' }, 'under another name')
  assert.deepEqual(Buffer.from(await opened(joined(first, second, last))), Buffer.from(bytes))
})
