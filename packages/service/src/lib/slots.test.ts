import assert from 'node:assert/strict'
import test from 'node:test'
import { createSlots } from './slots.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('slots let so many in at a time, in order, whatever becomes of them', async () => {
  const slots = createSlots(2)
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<number>())
  const started: number[] = []
  const all = gates.map((gate, i) =>
    slots.run(() => {
      started.push(i)
      return gate.promise
    }),
  )
  await turn()
  assert.deepEqual(started, [0, 1])
  gates[1]!.reject(new Error('failed'))
  await assert.rejects(all[1]!)
  await turn()
  assert.deepEqual(started, [0, 1, 2])
  for (const i of [0, 2, 3, 4]) gates[i]!.resolve(i)
  assert.deepEqual(await Promise.all(all.filter((_, i) => i !== 1)), [0, 2, 3, 4])
})
