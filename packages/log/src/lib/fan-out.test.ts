import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { newEntry } from '../event-log.contract.ts'
import type { EventLog, LogEntry } from './event-log.ts'
import { createFanOut, type FanOut, type FanOutReadOptions } from './fan-out.ts'
import { openMemoryLog } from './memory-log.ts'

/** Payloads of the messages in bytes that hold whole, unmasked messages, read as RFC 6455 has it. */
function messagesIn(bytes: Uint8Array): string[] {
  const messages: string[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    assert.equal(bytes[at], 0x81, 'a final text frame')
    let length = bytes[at + 1]!
    at += 2
    if (length === 126) {
      length = view.getUint16(at)
      at += 2
    } else if (length === 127) {
      length = Number(view.getBigUint64(at))
      at += 8
    }
    messages.push(Buffer.from(bytes.subarray(at, at + length)).toString())
    at += length
  }
  return messages
}

const numbersIn = (frames: readonly Uint8Array[]) =>
  frames.flatMap((frame) => messagesIn(frame)).map((message) => Number.parseInt(message, 10))

type Options = Partial<FanOutReadOptions>

/** Reads until `count` messages have come; more may come with the last batch. */
async function take(fanOut: FanOut, count: number, options: Options = {}): Promise<string[]> {
  const end = new AbortController()
  const messages: string[] = []
  for await (const frames of fanOut.read({ signal: end.signal, ...options })) {
    for (const frame of frames) messages.push(...messagesIn(frame))
    if (messages.length >= count) break
  }
  return messages
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const memoryLog = (options = {}) => openMemoryLog({ now: () => 1000, ...options })

async function appendTo(log: EventLog, count: number, text = ''): Promise<void> {
  for (let i = 0; i < count; i++) await log.append([newEntry('a', text)])
}

test('a reader without a cursor gets what comes after it asked', async () => {
  const log = memoryLog()
  await appendTo(log, 3)
  using fanOut = createFanOut(log, { opcode: 'text' })
  const end = new AbortController()
  const reading = fanOut.read({ signal: end.signal })
  await log.append([newEntry('b')])
  const { value } = await reading.next()
  assert.deepEqual(numbersIn(value!), [4])
  end.abort()
})

test('a cursor is exclusive, on disk and in the ring; 0 begins with the oldest', async () => {
  const log = memoryLog()
  await appendTo(log, 3)
  using fanOut = createFanOut(log, { opcode: 'text' })
  await appendTo(log, 3)
  for (let cursor = 0; cursor < 6; cursor++)
    assert.deepEqual(
      (await take(fanOut, 6 - cursor, { cursor })).map((message) => Number.parseInt(message, 10)),
      [1, 2, 3, 4, 5, 6].slice(cursor),
    )
})

test('a cursor at the head waits; one above it is refused', async () => {
  const log = memoryLog()
  await appendTo(log, 3)
  using fanOut = createFanOut(log, { opcode: 'text' })
  const waiting = take(fanOut, 1, { cursor: 3 })
  await turn()
  await appendTo(log, 1)
  assert.deepEqual(await waiting, ['4 a '])
  await assert.rejects(take(fanOut, 1, { cursor: 5 }), { name: 'CursorError', code: 'FutureCursor' })
})

test('a cursor older than what is kept hears so first, then gets the oldest', async () => {
  let time = 1000
  const log = memoryLog({ now: () => time })
  await appendTo(log, 5)
  time = 2000
  await appendTo(log, 2)
  await log.prune(1500)
  using fanOut = createFanOut(log, { opcode: 'text' })
  const onOutdated = (oldest: number) => Buffer.from(`outdated ${oldest}`)
  assert.deepEqual(await take(fanOut, 3, { cursor: 2, onOutdated }), ['outdated 6', '6 a ', '7 a '])
  assert.deepEqual(await take(fanOut, 2, { cursor: 5, onOutdated }), ['6 a ', '7 a '], 'misses nothing')
  assert.deepEqual(await take(fanOut, 2, { cursor: 0, onOutdated }), ['6 a ', '7 a '], 'asked for the oldest')
  assert.deepEqual(await take(fanOut, 2, { cursor: 2 }), ['6 a ', '7 a '])
  const refusing = take(fanOut, 1, {
    cursor: 2,
    onOutdated: () => {
      throw new Error('outdated')
    },
  })
  await assert.rejects(refusing, /outdated/)
})

test('a reader that retention overtakes hears of the gap', async () => {
  let time = 1000
  const log = memoryLog({ now: () => time })
  await appendTo(log, 10)
  using fanOut = createFanOut(log, { opcode: 'text', batchBytes: 1 })
  const end = new AbortController()
  const reading = fanOut.read({
    cursor: 0,
    signal: end.signal,
    onOutdated: (oldest) => Buffer.from(`-${oldest}`),
  })
  assert.deepEqual(numbersIn((await reading.next()).value!), [1])
  time = 2000
  await appendTo(log, 1)
  await log.prune(1500)
  assert.deepEqual(numbersIn((await reading.next()).value!), [-11])
  assert.deepEqual(numbersIn((await reading.next()).value!), [11])
  end.abort()
})

test('a reader gets only what it selects, and may change its mind', async () => {
  const log = memoryLog()
  for (const key of 'abcabc') await log.append([newEntry(key)])
  using fanOut = createFanOut(log, { opcode: 'text', batchBytes: 1 })
  await log.append([...'abcabc'].map((key) => newEntry(key)))
  let wanted = 'b'
  const end = new AbortController()
  const seen: string[] = []
  for await (const frames of fanOut.read({
    cursor: 0,
    signal: end.signal,
    select: ({ key }: LogEntry) => key === wanted,
  })) {
    for (const frame of frames) seen.push(...messagesIn(frame))
    if (seen.length === 3) wanted = 'c'
    if (seen.length === 5) break
  }
  assert.deepEqual(seen, ['2 b ', '5 b ', '8 b ', '9 c ', '12 c '])
})

test('an entry may have another message than its payload, or none', async () => {
  const log = memoryLog()
  await log.append([newEntry('a'), newEntry('b'), newEntry('c')])
  let calls = 0
  using fanOut = createFanOut(log, {
    opcode: 'text',
    messageOf: ({ key, seq }) => {
      calls++
      return key === 'b' ? undefined : Buffer.from(`${seq}:${key.toUpperCase()}`)
    },
  })
  await log.append([newEntry('a'), newEntry('b'), newEntry('c')])
  assert.equal(calls, 3, 'near the head, once for all readers')
  assert.deepEqual(await take(fanOut, 2, { cursor: 3 }), ['4:A', '6:C'])
  assert.equal(calls, 3)
  assert.deepEqual(await take(fanOut, 4, { cursor: 0 }), ['1:A', '3:C', '4:A', '6:C'])
})

test('forgotten keys are gone from memory', async () => {
  const log = memoryLog()
  using fanOut = createFanOut(log, { opcode: 'text' })
  await log.append([newEntry('a'), newEntry('b')])
  await log.append([newEntry('b')])
  await log.append([newEntry('a')])
  fanOut.forget('b')
  assert.deepEqual(await take(fanOut, 2, { cursor: 0 }), ['1 a ', '4 a '])
})

test('readers near the head share the same bytes', async () => {
  const log = memoryLog()
  using fanOut = createFanOut(log, { opcode: 'text' })
  const end = new AbortController()
  const readers = [1, 2, 3].map(() => fanOut.read({ signal: end.signal }))
  const first = readers.map((reader) => reader.next())
  await log.append([newEntry('a'), newEntry('b')])
  const batches = (await Promise.all(first)).map(({ value }) => value!)
  assert.equal(batches[0]!.length, 1, 'one stretch of bytes for both messages')
  assert.ok(batches.every((frames) => frames[0] === batches[0]![0]))
  end.abort()
})

test('messages of every size are framed soundly', async () => {
  const log = memoryLog()
  using fanOut = createFanOut(log, { opcode: 'text' })
  const sizes = [0, 100, 118, 119, 120, 121, 122, 123, 65_520, 65_529, 65_530, 65_531, 65_536, 200_000]
  for (const size of sizes) await log.append([newEntry('a', 'x'.repeat(size))])
  const messages = await take(fanOut, sizes.length, { cursor: 0 })
  assert.deepEqual(
    messages,
    sizes.map((size, i) => `${i + 1} a ${'x'.repeat(size)}`),
  )
})

test('an aborted reader ends, wherever it waits', async () => {
  const log = memoryLog()
  using fanOut = createFanOut(log, { opcode: 'text' })
  const end = new AbortController()
  const reading = fanOut.read({ signal: end.signal })
  const waiting = reading.next()
  await turn()
  assert.equal(fanOut.readers, 1)
  end.abort()
  assert.deepEqual(await waiting, { done: true, value: undefined })
  assert.equal(fanOut.readers, 0)
})

test('disposing of the fan-out ends its readers', async () => {
  const fanOut = createFanOut(memoryLog(), { opcode: 'text' })
  const waiting = fanOut.read({ signal: new AbortController().signal }).next()
  await turn()
  fanOut[Symbol.dispose]()
  assert.equal((await waiting).done, true)
})

// Goal: no interleaving of appends, retention-free reads, slow and fast readers loses or repeats an entry at the
// hand-off between disk and ring. Method: seeded delays at every step; a ring and batches so small that readers cross
// the border many times.
test('every reader sees each entry after its cursor exactly once, in order', async () => {
  let crossings = 0
  for (let seed = 1; seed <= 40; seed++) {
    const random = createRandom(seed)
    const pause = async () => {
      for (let turns = random.int(4); turns > 0; turns--) await (random.chance(0.5) ? turn() : undefined)
    }
    const memory = memoryLog({ nextSeq: (previous: number) => previous + 1 + random.int(3) })
    const log: EventLog = Object.create(memory, {
      read: {
        value: async (...args: Parameters<EventLog['read']>) => {
          crossings++
          if (random.chance(0.5)) await pause()
          const entries = await memory.read(...args)
          await pause()
          return entries
        },
      },
    })
    await appendTo(log, random.int(10))
    using fanOut = createFanOut(log, { opcode: 'text', ringBytes: 120, batchBytes: 30 + random.int(60) })
    const all: number[] = (await memory.read(0)).map(({ seq }) => seq)
    const TOTAL = 60
    const end = new AbortController()

    const readers = Array.from({ length: 6 }, async (_, i) => {
      for (let wait = random.int(20); wait > 0; wait--) await turn()
      const cursor = i === 0 ? 0 : random.pick([0, memory.head, random.int(memory.head + 1)])
      const select = i % 2 === 0 ? undefined : ({ seq }: LogEntry) => seq % 3 !== 0
      const seen: number[] = []
      for await (const frames of fanOut.read({ cursor, signal: end.signal, select })) {
        seen.push(...numbersIn(frames))
        await pause()
      }
      return { cursor, select, seen }
    })
    while (all.length < TOTAL) {
      const count = 1 + random.int(3)
      for (const { seq } of await log.append(Array.from({ length: count }, () => newEntry('k'))))
        all.push(seq)
      await pause()
    }
    for (let i = 0; i < 400; i++) await turn()
    end.abort()
    for (const { cursor, select, seen } of await Promise.all(readers)) {
      const due = all.filter((seq) => seq > cursor && (!select || select({ seq } as LogEntry)))
      assert.deepEqual(seen, due, `seed ${seed}, cursor ${cursor}`)
    }
  }
  assert.ok(crossings > 200, `read the log ${crossings} times`)
})
