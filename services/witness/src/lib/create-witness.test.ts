import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import {
  createSigningKey,
  formatAddCheckpoint,
  type HashSource,
  hashChildren,
  hashLeaf,
  parseCheckpoint,
  parseNote,
  parseVkey,
  proveConsistency,
  signCheckpoint,
  treeRoot,
  verifiedSignatures,
} from '@imago/tlog'
import { createWitness, type WitnessOptions } from './create-witness.ts'
import { openWitnessStore } from './witness-store.ts'

const origin = 'plc.test/log'
const log = createSigningKey(origin, 'ed25519', new Uint8Array(32).fill(1))
const source: HashSource = {
  hash: (level, index) =>
    level === 0
      ? hashLeaf(Uint8Array.of(index))
      : hashChildren(source.hash(level - 1, 2 * index), source.hash(level - 1, 2 * index + 1)),
}
const checkpointOf = (size: number, root = treeRoot(source, size)) =>
  signCheckpoint({ origin, size, root }, [log])
const bodyOf = (oldSize: number, size: number) =>
  formatAddCheckpoint({
    oldSize,
    proof: proveConsistency(source, oldSize, size),
    checkpoint: checkpointOf(size),
  })

function witness(options: Partial<WitnessOptions> = {}) {
  const misdeeds: string[] = []
  const service = createWitness({
    name: 'witness.test',
    seed: new Uint8Array(32).fill(2),
    logs: [log.verifier],
    databaseFile: ':memory:',
    now: () => 1_800_000_000_500,
    onMisdeed: (_, message) => misdeeds.push(message),
    ...options,
  })
  const add = (body: string) =>
    service.fetch(new Request('http://witness/add-checkpoint', { method: 'POST', body }))
  const monitor = () =>
    service.fetch(
      new Request(`http://witness/${createHash('sha256').update(origin).digest('hex')}/checkpoint`),
    )
  return { service, misdeeds, add, monitor, [Symbol.dispose]: () => service[Symbol.dispose]() }
}

test('cosigns with both keys what continues, and shows it to monitors', async () => {
  using here = witness()
  assert.equal((await here.monitor()).status, 404)
  for (const [old, size] of [
    [0, 3],
    [3, 3],
    [3, 90],
  ] as const) {
    const response = await here.add(bodyOf(old, size))
    assert.equal(response.status, 200)
    const note = parseNote(checkpointOf(size) + (await response.text()))
    const found = verifiedSignatures(note, here.service.vkeys.map(parseVkey))
    assert.deepEqual(
      found.map(({ verifier, signature }) => verifier.timeOf(signature)),
      [1_800_000_000, 1_800_000_000],
    )
  }
  const shown = parseCheckpoint(await (await here.monitor()).text())
  assert.equal(shown.checkpoint.size, 90)
  assert.equal(verifiedSignatures(shown.note, [log.verifier, ...here.service.vkeys.map(parseVkey)]).length, 3)
})

test('answers as specified what it does not cosign, and keeps the proof of a misdeed', async () => {
  using here = witness()
  assert.equal((await here.add(bodyOf(0, 5))).status, 200)
  const conflict = await here.add(bodyOf(3, 9))
  assert.deepEqual(
    [conflict.status, conflict.headers.get('content-type'), await conflict.text()],
    [409, 'text/x.tlog.size', '5\n'],
  )
  const split = formatAddCheckpoint({
    oldSize: 5,
    proof: [],
    checkpoint: checkpointOf(5, new Uint8Array(32)),
  })
  assert.equal((await here.add(split)).status, 422)
  assert.equal(here.misdeeds.length, 1)
  const fork = formatAddCheckpoint({
    oldSize: 5,
    proof: proveConsistency(source, 5, 9),
    checkpoint: checkpointOf(9, new Uint8Array(32)),
  })
  assert.equal((await here.add(fork)).status, 422)
  const stranger = createSigningKey('other.test/log', 'ed25519', new Uint8Array(32).fill(9))
  const unknown = signCheckpoint({ origin: 'other.test/log', size: 0, root: treeRoot(source, 0) }, [stranger])
  assert.equal((await here.add(`old 0\n\n${unknown}`)).status, 404)
  const forger = createSigningKey(origin, 'ed25519', new Uint8Array(32).fill(9))
  const forged = signCheckpoint({ origin, size: 5, root: treeRoot(source, 5) }, [forger])
  assert.equal((await here.add(`old 5\n\n${forged}`)).status, 403)
  assert.equal((await here.add('old 9\n\nnonsense')).status, 400)
  assert.equal((await here.add('x'.repeat(200_000))).status, 413)
  assert.equal((await here.add(`old 6\n\n${checkpointOf(5)}`)).status, 400)
  assert.equal((await here.service.fetch(new Request('http://witness/'))).status, 404)
})

test('a hundred requests at once for one log: whatever is cosigned is one history', async () => {
  using here = witness()
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => here.add(bodyOf(0, i + 1))))
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  assert.equal(answers.filter(({ status }) => status === 409).length, 99)
})

test('after a restart it remembers, and a second process that was faster is seen', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-witness-'))
  const databaseFile = join(folder, 'new', 'witness.sqlite')
  try {
    {
      using here = witness({ databaseFile })
      assert.equal((await here.add(bodyOf(0, 4))).status, 200)
    }
    using here = witness({ databaseFile })
    assert.equal((await here.add(bodyOf(0, 7))).status, 409)
    using other = openWitnessStore(databaseFile)
    const next = { size: 6, root: treeRoot(source, 6), note: checkpointOf(6) }
    assert.equal(other.advance(origin, 3, next), false)
    assert.equal(other.advance(origin, 4, next), true)
    assert.equal((await here.add(bodyOf(4, 7))).status, 409)
    assert.equal((await here.add(bodyOf(6, 7))).status, 200)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
