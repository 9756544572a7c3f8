import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfDrisl, encode, type Value } from '@imago/data'
import {
  createMutator,
  FuzzFailure,
  type FuzzTarget,
  fuzzBriefly,
  isSampled,
  linkItems,
  minimise,
  splitItems,
  unlinkItems,
} from './fuzz.ts'
import { createRandom } from './random.ts'

/** Takes a length byte at its word. */
const trusting: FuzzTarget = {
  name: 'trusting',
  seeds: () => [Uint8Array.of(0x83, 1, 2, 3)],
  run(input) {
    if (input.length > 1 && input[0]! >> 5 === 2 && input.length < 1 + (input[0]! & 31))
      throw new Error('read past the end')
  },
}

test('a brief run finds a bug and reports the shortest input that shows it', () => {
  assert.throws(
    () => fuzzBriefly(trusting, { executions: 5000 }),
    (error) =>
      error instanceof FuzzFailure && error.input.length === 2 && /read past the end/.test(error.message),
  )
})

test('a brief run over a target without bugs returns', () => {
  let executions = 0
  fuzzBriefly({ ...trusting, run: () => executions++ }, { executions: 50 })
  assert.equal(executions, 51)
})

test('a seed that breaks its own target is reported as it is', () => {
  const target = { ...trusting, run: () => assert.fail('no') }
  assert.throws(() => fuzzBriefly(target, { executions: 0 }), FuzzFailure)
})

test('the same seed makes the same mutants, another seed others; none is longer than allowed', () => {
  const input = Uint8Array.from({ length: 60 }, (_, i) => i)
  const run = (seed: number) => {
    const mutator = createMutator({ random: createRandom(seed), maxBytes: 64, dictionary: ['did:', input] })
    return Array.from({ length: 3000 }, () => mutator.mutate(input, input).slice())
  }
  const first = run(1)
  assert.deepEqual(run(1), first)
  assert.notDeepEqual(run(2), first)
  assert.ok(first.every((mutant) => mutant.length <= 64))
  assert.ok(first.some((mutant) => mutant.length === 64))
  assert.ok(first.some((mutant) => Buffer.from(mutant).includes('did:')))
})

test('minimising keeps what the failure needs', () => {
  const input = Uint8Array.from({ length: 200 }, (_, i) => i)
  const smallest = minimise(input, (bytes) => bytes.includes(77) && bytes.includes(150))
  assert.deepEqual([...smallest], [77, 150])
})

test('items that link to later ones by hash are told by number, and come back', () => {
  const leaf = encode({ text: 'leaf' })
  const branch = encode([cidOfDrisl(leaf), cidOfDrisl(leaf), 7])
  const root = encode({ branch: cidOfDrisl(branch), elsewhere: cidOfDrisl(Uint8Array.of(1)) })
  const told = unlinkItems([root, branch, leaf])
  assert.equal(told.length, root.length + branch.length + leaf.length)
  const items = splitItems(told)
  assert.notDeepEqual(items, [root, branch, leaf])
  assert.deepEqual(linkItems(items), [root, branch, leaf].map(cidOfDrisl))
  assert.deepEqual(items, [root, branch, leaf])
})

test('a number that leads to no later item stays as it is', () => {
  const numbered = (number: number): Value => {
    const told = splitItems(unlinkItems([encode([cidOfDrisl(encode(1))]), encode(1)]))[0]!
    told[told.length - 1] = number
    return told
  }
  for (const number of [0, 2, 255]) {
    const items = [numbered(number) as Uint8Array, encode(1)]
    const before = items.map((item) => item.slice())
    linkItems(items)
    assert.deepEqual(items, before)
  }
})

test('what follows the last whole item is an item of its own, and none is a view of the input', () => {
  const input = Uint8Array.of(0x81, 0x01, 0xff, 0x02)
  const items = splitItems(input)
  assert.deepEqual(items, [Uint8Array.of(0x81, 0x01), Uint8Array.of(0xff, 0x02)])
  input.fill(0)
  assert.equal(items[0]![0], 0x81)
  assert.deepEqual(splitItems(new Uint8Array()), [])
})

test('a sample is about the share asked for, and the same every time', () => {
  const random = createRandom(2)
  const inputs = Array.from({ length: 4000 }, () => random.bytes(random.int(300)))
  const sampled = inputs.filter((input) => isSampled(input, 8))
  assert.ok(sampled.length > 400 && sampled.length < 600, String(sampled.length))
  assert.ok(sampled.every((input) => isSampled(input.slice(), 8)))
})
