import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { HostPosition, MAX_OPEN_EVENTS, type Ticket } from './host-position.ts'

const fresh = () => new HostPosition({ hostname: 'pds.example.com', cursor: 0, finished: [] })

test('the cursor stays below the oldest event that is not finished', () => {
  const position = fresh()
  const [a, b, c] = [2, 5, 9].map((seq) => position.begin(seq, 1)!)
  position.finish(c!)
  position.finish(b!)
  assert.deepEqual(position.progress(), { hostname: 'pds.example.com', cursor: 0, finished: [5, 9] })
  position.finish(a!)
  assert.deepEqual(position.progress(), { hostname: 'pds.example.com', cursor: 9, finished: [] })
})

test('whenever the process ends, nothing is left out and nothing done twice', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3), { minLength: 1, maxLength: 40 }),
      fc.infiniteStream(fc.nat(1000)),
      fc.nat(60),
      (gaps, choices, ends) => {
        let last = 0
        const seqs = gaps.map((gap) => (last += 1 + gap))
        const done: number[] = []
        let stored = fresh().progress()
        // Two lives: the first ends after so many steps; the second goes on to the end.
        for (const life of [ends, Number.POSITIVE_INFINITY]) {
          const position = new HostPosition(stored)
          const coming = seqs.filter((seq) => seq > position.cursor)
          const open: Ticket[] = []
          for (let step = 0; step < life && (coming.length > 0 || open.length > 0); step++) {
            const choice = choices.next().value
            if (coming.length > 0 && (open.length === 0 || choice % 2 === 0)) {
              const ticket = position.begin(coming.shift()!, 1)
              if (ticket) open.push(ticket)
            } else {
              const [ticket] = open.splice(choice % open.length, 1)
              done.push(ticket!.seq)
              position.finish(ticket!)
              stored = position.progress()
            }
          }
          if (life > ends) stored = position.progress()
        }
        assert.deepEqual(
          done.toSorted((a, b) => a - b),
          seqs,
        )
        assert.equal(stored.finished.length, 0)
      },
    ),
    { seed: 1, numRuns: 200 },
  )
})

test('what the log says was done is not done again, and too much of it moves the cursor', () => {
  const position = new HostPosition({ hostname: 'pds.example.com', cursor: 10, finished: [12] })
  for (const seq of [14, 9, 12]) position.recall(seq)
  assert.deepEqual(position.progress().finished, [12, 14])
  assert.ok(position.begin(11, 1))
  assert.equal(position.begin(12, 1), undefined)
  assert.ok(position.begin(13, 1))
  assert.equal(position.begin(14, 1), undefined)

  const long = fresh()
  for (let seq = 2; seq <= 2 * (MAX_OPEN_EVENTS + 5); seq += 2) long.recall(seq)
  const { cursor, finished } = long.progress()
  assert.deepEqual([cursor, finished.length], [10, MAX_OPEN_EVENTS])
})

test('a number is taken once, and a full window makes the next one wait', async () => {
  const position = fresh()
  const first = position.begin(1, 1)!
  assert.equal(position.begin(1, 1), undefined)
  for (let seq = 2; seq <= MAX_OPEN_EVENTS; seq++) position.finish(position.begin(seq, 1)!)
  assert.equal(position.hasRoom, false)
  let waited = false
  const waiting = position.room().then(() => {
    waited = true
  })
  await Promise.resolve()
  assert.equal(waited, false)
  position.finish(first)
  await waiting
  await position.idle()
  position.restart()
  assert.ok(position.begin(1, 32 * 1024 * 1024))
  assert.equal(position.hasRoom, false, 'bytes count as well')
})
