import assert from 'node:assert/strict'
import test from 'node:test'
import { createGroupCommit } from './group-commit.ts'

test('requests of one turn share one flush, and each gets its own result', async () => {
  const batches: number[][] = []
  const group = createGroupCommit<number, number>({
    flush: (batch) => {
      batches.push([...batch])
      return batch.map((n) => n * 10)
    },
  })
  const results = await Promise.all([1, 2, 3].map((n) => group.submit(n)))
  assert.deepEqual(results, [10, 20, 30])
  assert.deepEqual(batches, [[1, 2, 3]])
})

test('requests that come during a flush share the next one; never two at a time', async () => {
  const batches: number[][] = []
  let running = 0
  const first = Promise.withResolvers<void>()
  const group = createGroupCommit<number, number>({
    flush: async (batch) => {
      assert.equal(++running, 1)
      batches.push([...batch])
      if (batches.length === 1) await first.promise
      running--
      return batch
    },
  })
  const one = group.submit(1)
  while (batches.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const rest = [2, 3, 4].map((n) => group.submit(n))
  assert.equal(group.waiting, 3)
  first.resolve()
  await Promise.all([one, ...rest])
  assert.deepEqual(batches, [[1], [2, 3, 4]])
})

test('a flush that throws rejects its batch, and the next goes on', async () => {
  let flushes = 0
  const group = createGroupCommit<string, string>({
    flush: (batch) => {
      if (++flushes === 1) throw new Error('no space')
      return batch
    },
    maxRequests: 2,
  })
  const settled = await Promise.allSettled(['a', 'b', 'c'].map((one) => group.submit(one)))
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled'],
  )
})

test('a flush that forgets a result rejects its batch', async () => {
  const group = createGroupCommit<number, number>({ flush: () => [] })
  await assert.rejects(group.submit(1), /0 results for 1 requests/)
})

test('batches end at the request or the weight that fills them', async () => {
  const batches: number[][] = []
  const group = createGroupCommit<number, number>({
    flush: (batch) => {
      batches.push([...batch])
      return batch
    },
    maxRequests: 3,
    weigh: (n) => n,
    maxWeight: 10,
  })
  await Promise.all([1, 1, 1, 1, 50, 4, 4, 4].map((n) => group.submit(n)))
  assert.deepEqual(batches, [
    [1, 1, 1],
    [1, 50],
    [4, 4, 4],
  ])
})

test('idle waits for everything', async () => {
  const done: number[] = []
  const group = createGroupCommit<number, number>({ flush: async (batch) => batch, maxRequests: 1 })
  await group.idle()
  for (const n of [1, 2, 3]) group.submit(n).then((result) => done.push(result))
  await group.idle()
  assert.deepEqual(done, [1, 2, 3])
})
