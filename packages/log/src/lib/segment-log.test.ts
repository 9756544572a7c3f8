import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { eventLogContract, newEntry } from '../event-log.contract.ts'
import type { EventLog } from './event-log.ts'
import { openSegmentLog } from './segment-log.ts'

for (const [title, segmentBytes] of [
  ['one segment', undefined],
  ['a segment per flush', 1],
] as const)
  eventLogContract(`segment log, ${title}`, {
    durable: true,
    prunesExactly: segmentBytes === 1,
    harness: async () => {
      const folder = temporaryFolder()
      return {
        open: (options) => openSegmentLog({ ...options, folder, ...(segmentBytes && { segmentBytes }) }),
        [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
      }
    },
  })

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'imago-log-'))
}

const now = () => 1000
const segmentsIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort()

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder()
  try {
    await body(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function seqsOf(log: EventLog, after = 0): Promise<number[]> {
  return (await log.read(after, { entries: 1e6, bytes: 1e9 })).map(({ seq }) => seq)
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

async function fill(folder: string, appends: number, options: { segmentBytes?: number } = {}): Promise<void> {
  await using log = await openSegmentLog({ folder, now, ...options })
  for (let i = 0; i < appends; i++) await log.append([newEntry('a', 'x'.repeat(100))])
}

test('a log that spans many segments reads the same after reopening, from any place', () =>
  inFolder(async (folder) => {
    await fill(folder, 25, { segmentBytes: 800 })
    assert.ok(segmentsIn(folder).length > 4)
    await using log = await openSegmentLog({ folder, now, segmentBytes: 800 })
    for (let after = 0; after <= 25; after++)
      assert.deepEqual(await seqsOf(log, after), upTo(25).slice(after))
  }))

test('the sparse index leads to every entry of a large segment', () =>
  inFolder(async (folder) => {
    {
      await using log = await openSegmentLog({ folder, now, flushBytes: 50_000 })
      await Promise.all(upTo(300).map(() => log.append([newEntry('a', 'x'.repeat(10_000))])))
      for (const after of [0, 1, 99, 150, 298, 299])
        assert.equal((await log.read(after, { entries: 1 }))[0]!.seq, after + 1)
    }
    await using log = await openSegmentLog({ folder, now })
    for (const after of [0, 1, 99, 150, 298, 299])
      assert.equal((await log.read(after, { entries: 1 }))[0]!.seq, after + 1)
    assert.deepEqual(await seqsOf(log), upTo(300))
  }))

test('wherever in the last flush a crash comes, exactly that flush is cut off', () =>
  inFolder(async (folder) => {
    await fill(folder, 2)
    const path = join(folder, segmentsIn(folder)[0]!)
    const before = readFileSync(path)
    {
      await using log = await openSegmentLog({ folder, now })
      await log.append([newEntry('b'), newEntry('c')])
    }
    const whole = readFileSync(path)
    for (let length = before.length; length < whole.length; length += 9) {
      writeFileSync(path, whole.subarray(0, length))
      await using log = await openSegmentLog({ folder, now })
      assert.deepEqual(await seqsOf(log), [1, 2], `cut at ${length}`)
      assert.equal(readFileSync(path).length, before.length)
    }
    for (let at = before.length; at < whole.length; at += 19) {
      const torn = Buffer.from(whole)
      torn.fill(0, at, Math.min(at + 16, torn.length))
      if (torn.equals(whole)) continue
      writeFileSync(path, torn)
      await using log = await openSegmentLog({ folder, now })
      assert.deepEqual(await seqsOf(log), [1, 2], `hole at ${at}`)
    }
    await using log = await openSegmentLog({ folder, now })
    assert.equal((await log.append([newEntry('d')]))[0]!.seq, 3)
  }))

test('damage before the last flush is not mistaken for a crash', () =>
  inFolder(async (folder) => {
    await fill(folder, 5)
    const path = join(folder, segmentsIn(folder)[0]!)
    const whole = readFileSync(path)
    const lastBatch = Math.floor((whole.length * 4) / 5)
    for (let at = 8; at < lastBatch; at += 29) {
      const damaged = Buffer.from(whole)
      damaged[at]! ^= 0x10
      writeFileSync(path, damaged)
      await assert.rejects(
        openSegmentLog({ folder, now }),
        { code: 'Corrupt' },
        `flipped a bit of byte ${at}`,
      )
      assert.deepEqual(readFileSync(path), damaged, 'evidence is left alone')
    }
  }))

test('damage in a full segment stops whoever reads it, and nobody else', () =>
  inFolder(async (folder) => {
    await fill(folder, 20, { segmentBytes: 1000 })
    const path = join(folder, segmentsIn(folder)[1]!)
    const damaged = readFileSync(path)
    damaged[damaged.length >> 1]! ^= 1
    writeFileSync(path, damaged)
    await using log = await openSegmentLog({ folder, now, segmentBytes: 1000 })
    await assert.rejects(seqsOf(log), { code: 'Corrupt' })
    assert.deepEqual(await seqsOf(log, 15), [16, 17, 18, 19, 20])
  }))

test('a full segment that lost its end is noticed, even at the border of two flushes', () =>
  inFolder(async (folder) => {
    await fill(folder, 20, { segmentBytes: 1000 })
    const path = join(folder, segmentsIn(folder)[0]!)
    const { length } = readFileSync(path)
    const header = 56
    const flushes = Number(segmentsIn(folder)[1]!.slice(0, 16))
    truncateSync(path, length - (length - header) / flushes)
    await using log = await openSegmentLog({ folder, now, segmentBytes: 1000 })
    await assert.rejects(seqsOf(log), { code: 'Corrupt' })
  }))

test('a payload that imitates the file format is only a payload', () =>
  inFolder(async (folder) => {
    await fill(folder, 3)
    const path = join(folder, segmentsIn(folder)[0]!)
    const imitation = readFileSync(path)
    {
      await using log = await openSegmentLog({ folder: join(folder, 'other'), now })
      await log.append([newEntry('a')])
      await log.append([{ key: 'evil', encode: () => imitation }])
    }
    const other = join(folder, 'other', segmentsIn(join(folder, 'other'))[0]!)
    truncateSync(other, readFileSync(other).length - 1)
    await using log = await openSegmentLog({ folder: join(folder, 'other'), now })
    assert.deepEqual(await seqsOf(log), [1])
  }))

test('a folder has one owner at a time', () =>
  inFolder(async (folder) => {
    {
      await using _log = await openSegmentLog({ folder, now })
      await assert.rejects(openSegmentLog({ folder, now }), { code: 'Locked' })
    }
    await using _again = await openSegmentLog({ folder, now })
  }))

test('a slow log still lets go of what is old', () =>
  inFolder(async (folder) => {
    let time = 0
    await using log = await openSegmentLog({ folder, now: () => time })
    for (let hour = 1; hour <= 30; hour++) {
      time = hour
      await log.append([newEntry('a')])
      await log.prune(hour - 10)
      const kept = await seqsOf(log)
      assert.ok(kept.length <= 22, `${kept.length} entries after hour ${hour}`)
      assert.deepEqual(kept.slice(-10), upTo(hour).slice(-10))
    }
  }))
