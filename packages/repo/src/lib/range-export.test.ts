import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { BlockMap, type Cid, cidOfDrisl, encode, readCar, writeCar } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { signCommit } from './commit.ts'
import { exportRepo } from './export-repo.ts'
import { Mst } from './mst.ts'
import { collectionRange, exportRange, verifyRangeExport } from './range-export.ts'
import { MissingBlockError, RepoError } from './repo-error.ts'

const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const keypair = generateKeypair('k256')
const random = createRandom(11)

const COLLECTIONS = ['com.example.a', 'com.example.ab', 'com.example.b', 'com.example.c']

function repoOf(counts: readonly number[]) {
  const blocks = new BlockMap()
  const entries: (readonly [string, Cid])[] = []
  for (const [index, count] of counts.entries())
    for (let n = 0; n < count; n++) {
      const bytes = encode({ index, n })
      const cid = cidOfDrisl(bytes)
      blocks.set(cid, bytes)
      entries.push([`${COLLECTIONS[index]}/${random.bytes(6).toHex()}`, cid])
    }
  const tree = Mst.from(entries)
  const signed = signCommit({ did, data: tree.root, rev: '3jzfcijpj2z2a' }, keypair)
  blocks.addAll(tree.nodes()).set(signed.cid, signed.bytes)
  return { head: signed.cid, blocks, entries }
}

test('[Y1] one collection comes with the proof that it is all of it', () => {
  for (const counts of [
    [200, 1, 300, 5],
    [0, 0, 50, 0],
    [0, 0, 0, 0],
    [1, 400, 0, 1],
  ]) {
    const { head, blocks, entries } = repoOf(counts)
    const whole = [...exportRepo(blocks, head)].length
    for (const [index, collection] of [...COLLECTIONS, 'com.example.absent'].entries()) {
      const range = collectionRange(collection)
      const sent = [...exportRange(blocks, head, range)]
      const car = readCar(writeCar([head], sent))
      const { records } = verifyRangeExport(car, range, { did, key: keypair.publicKey })
      const expected = entries
        .filter(([path]) => path.startsWith(`${collection}/`))
        .sort(([a], [b]) => (a < b ? -1 : 1))
      assert.deepEqual(
        Array.from(records, ([path, cid]) => `${path} ${cid}`),
        expected.map(([path, cid]) => `${path} ${cid}`),
      )
      assert.ok(sent.length <= whole)
      if (counts[index] === 1) assert.ok(sent.length < 20, `${sent.length} blocks for one record of ${whole}`)
      // Whatever is left out is missed.
      for (const { cid } of sent.slice(0, 40)) {
        const rest = new BlockMap(sent.filter((block) => !block.cid.equals(cid)))
        assert.throws(
          () => verifyRangeExport({ roots: [head], blocks: rest }, range, { did }),
          MissingBlockError,
        )
      }
    }
  }
})

test('[Y1] a part of a repository of another account, or signed by another key, is refused', () => {
  const { head, blocks } = repoOf([3, 3, 3, 3])
  const range = collectionRange(COLLECTIONS[0]!)
  const car = { roots: [head], blocks: new BlockMap([...exportRange(blocks, head, range)]) }
  assert.throws(() => verifyRangeExport(car, range, { did: 'did:plc:another' }), RepoError)
  assert.throws(() => verifyRangeExport(car, range, { key: generateKeypair('k256').publicKey }), RepoError)
})
