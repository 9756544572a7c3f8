import assert from 'node:assert/strict'
import test from 'node:test'
import { createMutator, FuzzFailure, type FuzzTarget, fuzzBriefly, minimise } from './fuzz.ts'
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
