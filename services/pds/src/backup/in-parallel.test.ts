import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { inParallel } from './in-parallel.ts'

test('so many run at a time and no more, and every item is worked on once', async () => {
  const done: number[] = []
  let running = 0
  let most = 0
  await inParallel(Array(20).keys(), 3, async (item) => {
    most = Math.max(most, ++running)
    await nextTurn()
    running--
    done.push(item)
  })
  assert.equal(most, 3)
  assert.deepEqual(
    done.sort((a, b) => a - b),
    [...Array(20).keys()],
  )
  await inParallel([], 3, async () => assert.fail())
})

test('after a failure nothing is begun, what runs comes to its end, and the source is closed', async () => {
  let begun = 0
  let ended = 0
  let closed = false
  async function* source() {
    try {
      for (let n = 0; ; n++) yield n
    } finally {
      closed = true
    }
  }
  const working = inParallel(source(), 2, async (item) => {
    begun++
    if (item === 3) throw new Error('the fourth')
    await nextTurn()
    ended++
  })
  await assert.rejects(working, /the fourth/)
  assert.equal(begun, ended + 1)
  assert.ok(begun <= 5, `${begun}`)
  assert.ok(closed)
})
