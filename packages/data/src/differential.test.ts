import assert from 'node:assert/strict'
import test from 'node:test'
import { createMutator } from '@imago/sim/fuzz'
import { createRandom } from '@imago/sim/random'
import { compareWith, PEERS, target } from './differential.fuzz.ts'
import { encode } from './encode.ts'
import { anyMap } from './lib/any-value.fixture.ts'

const RUNS = 800

const random = createRandom(8)
const samples = [...Array.from({ length: 60 }, () => encode(anyMap(random))), ...target.seeds()]
const mutator = createMutator({ random, maxBytes: 400 })
const inputs = [
  ...samples,
  ...Array.from({ length: RUNS }, () =>
    random.chance(0.15)
      ? random.bytes(1 + random.int(10))
      : mutator.mutate(random.pick(samples), random.pick(samples)).slice(),
  ),
]

test('at least one codec that others wrote is installed', () => assert.notEqual(PEERS.length, 0))

for (const peer of PEERS)
  test(`${peer.name} takes the same bytes, to the same values, but for the rules listed`, () => {
    const compared = inputs.filter((bytes) => compareWith(peer, bytes))
    assert.ok(compared.length > 50)
  })
