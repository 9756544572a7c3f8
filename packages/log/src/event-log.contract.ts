import assert from 'node:assert/strict'
import test from 'node:test'
import type { EventLog, LogEntry, NewEntry, NextSeq } from './lib/event-log.ts'

/** What an adapter must be able to do so that the suite can look at it from outside. */
export interface EventLogHarness extends AsyncDisposable {
  /** Opens the log; called again after the last one was closed, it opens what that one left. */
  open(options: { now: () => number; nextSeq?: NextSeq; startAfter?: number }): Promise<EventLog>
}

export interface EventLogContract {
  /** Makes an empty place for a log. */
  harness(): Promise<EventLogHarness>
  /** Whether a closed log can be opened again with all that it held. */
  readonly durable: boolean
  /** Whether `prune` removes exactly what is old; otherwise it may keep more. */
  readonly prunesExactly: boolean
}

/** An entry whose payload tells its own number, so that a test can see which number it was encoded with. */
export function newEntry(key: string, text = ''): NewEntry {
  return { key, encode: (seq) => Buffer.from(`${seq} ${key} ${text}`) }
}

const seqs = (entries: readonly LogEntry[]) => entries.map(({ seq }) => seq)
const texts = (entries: readonly LogEntry[]) => entries.map(({ payload }) => Buffer.from(payload).toString())

async function readAll(log: EventLog, after = 0): Promise<LogEntry[]> {
  const all: LogEntry[] = []
  for (let position = after; ; ) {
    const entries = await log.read(position)
    if (entries.length === 0) return all
    all.push(...entries)
    position = entries.at(-1)!.seq
  }
}

/** The suite that every adapter of the EventLog port passes. */
export function eventLogContract(
  adapter: string,
  { harness, durable, prunesExactly }: EventLogContract,
): void {
  const contractTest = (title: string, body: (harness: EventLogHarness) => Promise<void>) =>
    test(`${adapter}: ${title}`, async () => {
      await using fresh = await harness()
      await body(fresh)
    })
  const now = () => 1000

  contractTest('a new log is empty and starts at number 1', async ({ open }) => {
    await using log = await open({ now })
    assert.deepEqual([log.head, log.oldest], [0, 1])
    assert.deepEqual(await log.read(0), [])
    assert.deepEqual(seqs(await log.append([newEntry('a')])), [1])
    assert.equal(log.head, 1)
  })

  contractTest('entries come back in order, encoded with their own numbers', async ({ open }) => {
    await using log = await open({ now })
    const appended = await log.append([newEntry('a'), newEntry('b'), newEntry('ключ', 'текст')])
    assert.deepEqual(texts(appended), ['1 a ', '2 b ', '3 ключ текст'])
    const read = await log.read(0)
    assert.deepEqual(seqs(read), [1, 2, 3])
    assert.deepEqual(texts(read), ['1 a ', '2 b ', '3 ключ текст'])
    assert.deepEqual(
      read.map(({ key }) => key),
      ['a', 'b', 'ключ'],
    )
  })

  contractTest('reading after a number excludes it, and at the head finds nothing', async ({ open }) => {
    await using log = await open({ now })
    await log.append([newEntry('a'), newEntry('b'), newEntry('c')])
    assert.deepEqual(seqs(await log.read(1)), [2, 3])
    assert.deepEqual(seqs(await log.read(3)), [])
    assert.deepEqual(seqs(await log.read(99)), [])
  })

  contractTest('limits bound a read, but never hold back the first entry', async ({ open }) => {
    await using log = await open({ now })
    await log.append(Array.from({ length: 10 }, () => newEntry('a', 'x'.repeat(100))))
    assert.deepEqual(seqs(await log.read(0, { entries: 3 })), [1, 2, 3])
    assert.deepEqual(seqs(await log.read(5, { bytes: 1 })), [6])
    assert.deepEqual(seqs(await log.read(0, { bytes: 150 })), [1, 2])
  })

  contractTest('an empty append changes nothing and announces nothing', async ({ open }) => {
    await using log = await open({ now })
    let heard = 0
    log.subscribe(() => heard++)
    assert.deepEqual(await log.append([]), [])
    assert.deepEqual([log.head, heard], [0, 0])
  })

  contractTest('an entry that cannot be encoded fails its whole append, and no other', async ({ open }) => {
    await using log = await open({ now })
    const bad: NewEntry = {
      key: 'bad',
      encode: () => {
        throw new Error('cannot encode')
      },
    }
    const [before, failed, after] = await Promise.allSettled([
      log.append([newEntry('a')]),
      log.append([newEntry('b'), bad]),
      log.append([newEntry('c')]),
    ])
    assert.equal(before.status, 'fulfilled')
    assert.equal(failed.status === 'rejected' && failed.reason.message, 'cannot encode')
    assert.equal(after.status, 'fulfilled')
    assert.deepEqual(texts(await readAll(log)), ['1 a ', '2 c '])
    assert.equal(log.head, 2)
  })

  contractTest('a key that is too long, or a number that does not rise, is refused', async ({ open }) => {
    await using log = await open({ now, nextSeq: (previous) => (previous < 2 ? previous + 1 : previous) })
    await assert.rejects(log.append([newEntry('é'.repeat(40_000))]), { code: 'InvalidEntry' })
    await log.append([newEntry('x'.repeat(65_535)), newEntry('b')])
    await assert.rejects(log.append([newEntry('c')]), { code: 'InvalidEntry' })
    assert.deepEqual(seqs(await readAll(log)), [1, 2])
  })

  contractTest('concurrent appends are numbered in the order of the calls', async ({ open }) => {
    await using log = await open({ now })
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => log.append([newEntry(`k${i}`), newEntry(`k${i}`)])),
    )
    assert.deepEqual(
      results.flatMap((entries) => seqs(entries)),
      Array.from({ length: 100 }, (_, i) => i + 1),
    )
    assert.deepEqual(
      (await readAll(log)).map(({ key }) => key),
      Array.from({ length: 100 }, (_, i) => `k${Math.floor(i / 2)}`),
    )
  })

  contractTest(
    'listeners hear each entry once, in order, durable, before its append resolves',
    async ({ open }) => {
      await using log = await open({ now })
      const heard: number[] = []
      const unsubscribe = log.subscribe((entries) => {
        for (const { seq } of entries) heard.push(seq)
        assert.equal(log.head, entries.at(-1)!.seq)
      })
      const heardAtReturn: number[] = []
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const [entry] = await log.append([newEntry('a')])
          if (heard.includes(entry!.seq)) heardAtReturn.push(entry!.seq)
        }),
      )
      assert.deepEqual(heard, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      assert.deepEqual(heardAtReturn, heard)
      unsubscribe()
      await log.append([newEntry('a')])
      assert.equal(heard.length, 10)
    },
  )

  contractTest('numbers may come from elsewhere, with gaps', async ({ open }) => {
    const micros = (previous: number) => Math.max(previous + 1, 1_700_000_000_000_000)
    await using log = await open({ now, nextSeq: micros })
    await log.append([newEntry('a'), newEntry('b')])
    assert.deepEqual(seqs(await log.read(0)), [1_700_000_000_000_000, 1_700_000_000_000_001])
    assert.deepEqual(seqs(await log.read(1_700_000_000_000_000)), [1_700_000_000_000_001])
  })

  contractTest('a log can start after a number', async ({ open }) => {
    await using log = await open({ now, startAfter: 500 })
    assert.deepEqual([log.head, log.oldest], [500, 501])
    assert.deepEqual(seqs(await log.append([newEntry('a')])), [501])
    assert.deepEqual(seqs(await log.read(0)), [501])
  })

  contractTest(
    'pruning removes only the old, from the old end, and says from where on all is kept',
    async ({ open }) => {
      let time = 1000
      await using log = await open({ now: () => time })
      const appendAt = async (ms: number, count: number) => {
        time = ms
        for (let i = 0; i < count; i++) await log.append([newEntry('a', 'x'.repeat(200))])
      }
      await appendAt(1000, 5)
      await appendAt(2000, 5)
      await appendAt(3000, 5)
      assert.equal(await log.prune(1000), 0)
      assert.equal(log.oldest, 1)

      const removed = await log.prune(2000)
      const kept = await readAll(log)
      assert.ok(removed <= 5)
      assert.equal(kept.length + removed, 15)
      assert.equal(log.oldest, removed + 1)
      assert.equal(kept[0]!.seq, log.oldest)
      if (prunesExactly) assert.equal(removed, 5)

      await log.prune(4000)
      await log.prune(4000)
      assert.deepEqual(await readAll(log), [])
      assert.deepEqual([log.head, log.oldest], [15, 16])
      assert.deepEqual(seqs(await log.append([newEntry('b')])), [16])
      assert.deepEqual(seqs(await log.read(0)), [16])
    },
  )

  contractTest('a clock that goes back keeps the prune from leaving a gap', async ({ open }) => {
    let time = 5000
    await using log = await open({ now: () => time })
    await log.append([newEntry('a')])
    time = 1000
    await log.append([newEntry('b')])
    assert.equal(await log.prune(2000), 0)
    assert.deepEqual(seqs(await readAll(log)), [1, 2])
  })

  contractTest('reads and prunes may overlap appends', async ({ open }) => {
    let time = 1000
    await using log = await open({ now: () => time })
    const writing = (async () => {
      for (let i = 0; i < 40; i++) {
        time++
        await log.append([newEntry('a', 'x'.repeat(50))])
      }
    })()
    const pruning = (async () => {
      for (let i = 0; i < 10; i++) await log.prune(time - 10)
    })()
    let position = 0
    let failed = false
    writing.catch(() => {
      failed = true
    })
    while (position < 40 && !failed) {
      const entries = await log.read(position, { entries: 7 })
      for (const entry of entries) {
        assert.ok(entry.seq === position + 1 || entry.seq <= log.oldest, 'only retention leaves gaps')
        assert.equal(Buffer.from(entry.payload).toString(), `${entry.seq} a ${'x'.repeat(50)}`)
        position = entry.seq
      }
      if (entries.length === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all([writing, pruning])
  })

  contractTest('a closed log finishes its appends and refuses new ones', async ({ open }) => {
    const log = await open({ now })
    const last = log.append([newEntry('a')])
    await log[Symbol.asyncDispose]()
    assert.deepEqual(seqs(await last), [1])
    await assert.rejects(log.append([newEntry('b')]), { code: 'Closed' })
    await log[Symbol.asyncDispose]()
  })

  if (!durable) return

  contractTest('an opened log goes on where the last one stopped', async ({ open }) => {
    {
      await using log = await open({ now })
      await log.append([newEntry('a'), newEntry('b')])
    }
    await using log = await open({ now })
    assert.deepEqual([log.head, log.oldest], [2, 1])
    assert.deepEqual(texts(await log.read(0)), ['1 a ', '2 b '])
    assert.deepEqual(seqs(await log.append([newEntry('c')])), [3])
  })

  contractTest('numbers never come back, even when all entries are gone', async ({ open }) => {
    let time = 1000
    {
      await using log = await open({ now: () => time })
      await log.append([newEntry('a'), newEntry('b'), newEntry('c')])
      time = 2000
      await log.prune(1500)
      assert.deepEqual(await readAll(log), [])
    }
    await using log = await open({ now: () => time })
    assert.deepEqual([log.head, log.oldest], [3, 4])
    assert.deepEqual(seqs(await log.append([newEntry('d')])), [4])
  })

  contractTest('an opened log can be made to jump ahead, but not back', async ({ open }) => {
    {
      await using log = await open({ now })
      await log.append([newEntry('a')])
    }
    {
      await using log = await open({ now, startAfter: 1000 })
      assert.deepEqual([log.head, log.oldest], [1000, 1])
      assert.deepEqual(seqs(await log.append([newEntry('b')])), [1001])
    }
    await using log = await open({ now, startAfter: 5 })
    assert.deepEqual(seqs(await log.append([newEntry('c')])), [1002])
    assert.deepEqual(seqs(await readAll(log)), [1, 1001, 1002])
  })
}
