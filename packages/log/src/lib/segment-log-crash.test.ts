import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom, type Random } from '@imago/sim/random'
import { newEntry } from '../event-log.contract.ts'
import type { LogEntry } from './event-log.ts'
import type { LogFile, LogFiles } from './log-files.ts'
import { openSegmentLog } from './segment-log.ts'

/*
 * A disk in memory that loses power: what was not synced may be there afterwards in whole, in part or not at all, in
 * blocks and names alike. And a disk that fails: any operation can be made to report an error, having done its work or
 * not.
 */

type Operation = 'create' | 'write' | 'sync' | 'syncFolder' | 'remove' | 'truncate'

interface Stored {
  durable: Buffer
  current: Buffer
}

interface Fault {
  readonly operation: Operation
  /** Which call of that operation fails, from 1. */
  readonly call: number
  /** Whether the work was done all the same. */
  readonly persisted: boolean
}

const BLOCK = 16

class Disk implements LogFiles {
  fault: Fault | undefined
  fired = 0
  powerLossAfter = Number.POSITIVE_INFINITY
  operations = 0
  private calls = new Map<Operation, number>()
  private files: Map<string, Stored>
  private durableNames: Map<string, Stored>

  constructor(files = new Map<string, Stored>()) {
    this.files = files
    this.durableNames = new Map(files)
  }

  private async perform(operation: Operation, work: () => void): Promise<void> {
    await undefined
    if (this.operations++ >= this.powerLossAfter) {
      this.fired++
      throw new Error('the power is gone')
    }
    const call = (this.calls.get(operation) ?? 0) + 1
    this.calls.set(operation, call)
    if (this.fault?.operation !== operation || this.fault.call !== call) return work()
    this.fired++
    if (this.fault.persisted) work()
    throw new Error(`injected: ${operation} ${call}`)
  }

  async makeFolder(): Promise<void> {}

  lock(): Disposable {
    return { [Symbol.dispose]: () => {} }
  }

  async list(): Promise<string[]> {
    return [...this.files.keys()].map((path) => path.slice(path.lastIndexOf('/') + 1))
  }

  async create(path: string): Promise<LogFile> {
    assert.ok(!this.files.has(path), `${path} is created once`)
    await this.perform('create', () =>
      this.files.set(path, { durable: Buffer.alloc(0), current: Buffer.alloc(0) }),
    )
    return this.open(path)
  }

  async open(path: string): Promise<LogFile> {
    const stored = this.files.get(path)
    if (!stored) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' })
    return {
      size: async () => stored.current.length,
      read: async (target, position) => {
        const part = stored.current.subarray(position, position + target.length)
        target.set(part)
        return part.length
      },
      write: (bytes, position) =>
        this.perform('write', () => {
          assert.ok(position <= stored.current.length, 'the log leaves no holes')
          stored.current = Buffer.concat([stored.current.subarray(0, position), bytes])
        }),
      truncate: (length) =>
        this.perform('truncate', () => {
          stored.current = Buffer.from(stored.current.subarray(0, length))
        }),
      sync: () =>
        this.perform('sync', () => {
          stored.durable = stored.current
        }),
      close: async () => {},
    }
  }

  remove(path: string): Promise<void> {
    return this.perform('remove', () => void this.files.delete(path))
  }

  syncFolder(): Promise<void> {
    return this.perform('syncFolder', () => {
      this.durableNames = new Map(this.files)
    })
  }

  /** What a machine that lost power finds when it comes back. */
  afterPowerLoss(random: Random): Disk {
    const found = new Map<string, Stored>()
    for (const path of new Set([...this.durableNames.keys(), ...this.files.keys()])) {
      const stored = this.durableNames.get(path) ?? this.files.get(path)!
      const isCertain = this.durableNames.has(path) && this.files.has(path)
      if (!isCertain && random.chance(0.5)) continue
      const bytes = tear(stored, random)
      found.set(path, { durable: bytes, current: bytes })
    }
    return new Disk(found)
  }
}

/** Some mixture, block by block, of what is durable and what was written since. */
function tear({ durable, current }: Stored, random: Random): Buffer {
  const mode = random.int(3)
  if (mode === 0) return Buffer.from(durable)
  if (mode === 1) return Buffer.from(current)
  const longer = Math.max(durable.length, current.length)
  const shorter = Math.min(durable.length, current.length)
  const torn = Buffer.alloc(shorter + random.int(longer - shorter + 1))
  for (let at = 0; at < torn.length; at += BLOCK) {
    const source = random.chance(0.5) ? durable : current
    torn.set(source.subarray(at, Math.min(at + BLOCK, torn.length)), at)
  }
  return torn
}

const options = (files: LogFiles, time = { ms: 0 }) => ({
  folder: '/log',
  now: () => ++time.ms,
  segmentBytes: 600,
  flushBytes: 400,
  files,
})

async function readAll(disk: Disk): Promise<LogEntry[]> {
  await using log = await openSegmentLog(options(disk))
  return [...(await log.read(0, { entries: 1e6, bytes: 1e9 }))]
}

test('power may go at any moment: what was acknowledged is there, and no append is there by half', async () => {
  let losses = 0
  for (let seed = 1; seed <= 60; seed++) {
    const random = createRandom(seed)
    const time = { ms: 0 }
    let disk = new Disk()
    const acknowledged = new Map<number, string>()
    const batchSizes = new Map<string, number>()
    let batch = 0

    for (let life = 0; life < 4; life++) {
      disk.powerLossAfter = disk.operations + random.int(25)
      try {
        const log = await openSegmentLog(options(disk, time))
        const appends = Array.from({ length: 20 }, async () => {
          const key = `${batch++}`
          const size = 1 + random.int(4)
          batchSizes.set(key, size)
          for (let turns = random.int(4); turns > 0; turns--) await undefined
          const entries = await log.append(
            Array.from({ length: size }, () => newEntry(key, 'x'.repeat(random.int(120)))),
          )
          for (const { seq } of entries) {
            assert.ok(seq <= log.head)
            acknowledged.set(seq, key)
          }
        })
        await Promise.allSettled(appends)
        await log[Symbol.asyncDispose]()
      } catch (error) {
        assert.match(String(error), /the power is gone/)
      }
      losses += Math.min(disk.fired, 1)
      disk = disk.afterPowerLoss(random)

      const entries = await readAll(disk)
      for (const [i, { seq, key, payload }] of entries.entries()) {
        assert.equal(seq, i + 1, `seed ${seed}: numbers have no gaps`)
        assert.ok(Buffer.from(payload).toString().startsWith(`${seq} ${key} `))
      }
      for (const [seq, key] of acknowledged)
        assert.equal(entries[seq - 1]?.key, key, `seed ${seed}: ${seq} was lost`)
      for (const [key, found] of Map.groupBy(entries, (entry) => entry.key))
        assert.equal(found.length, batchSizes.get(key), `seed ${seed}: append ${key} is there by half`)
      // What a reader has now seen must stay, too.
      for (const { seq, key } of entries) acknowledged.set(seq, key)
    }
  }
  assert.ok(losses > 100, `the power went ${losses} times`)
})

for (const operation of ['write', 'sync', 'create', 'syncFolder'] as const)
  for (const persisted of [false, true])
    test(`a ${operation} that fails ${persisted ? 'though it was done' : 'undone'} ends the log, and nothing it said is lost`, async () => {
      const disk = new Disk()
      const log = await openSegmentLog(options(disk))
      const heard: number[] = []
      log.subscribe((entries) => heard.push(...entries.map(({ seq }) => seq)))
      // The third flush fills the segment, the fourth begins another: so every operation comes up once more.
      disk.fault = { operation, call: operation === 'write' || operation === 'sync' ? 5 : 2, persisted }

      const acknowledged: number[] = []
      let refused = 0
      for (let i = 0; i < 12; i++)
        try {
          acknowledged.push((await log.append([newEntry('a', 'x'.repeat(100))]))[0]!.seq)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'Failed')
          refused++
        }
      assert.equal(disk.fired, 1, 'the fault fired')
      assert.ok(acknowledged.length > 0 && refused > 1, 'and every append after it was refused')
      assert.deepEqual(heard, acknowledged)
      assert.equal(log.head, acknowledged.at(-1))
      assert.deepEqual(
        (await log.read(0)).map(({ seq }) => seq),
        acknowledged,
        'what is durable can still be read',
      )
      await log[Symbol.asyncDispose]()

      const found = (await readAll(disk)).map(({ seq }) => seq)
      assert.deepEqual(found.slice(0, acknowledged.length), acknowledged)
      assert.ok(found.length <= acknowledged.length + 1)
    })

test('those who wait behind a failed flush are refused, too', async () => {
  const disk = new Disk()
  const log = await openSegmentLog(options(disk))
  disk.fault = { operation: 'sync', call: 2, persisted: false }
  const settled = await Promise.allSettled(
    Array.from({ length: 10 }, () => log.append([newEntry('a', 'x'.repeat(200))])),
  )
  assert.equal(disk.fired, 1)
  assert.ok(settled.every(({ status }) => status === 'rejected'))
  assert.equal(log.head, 0)
})

for (const operation of ['remove', 'syncFolder'] as const)
  for (const persisted of [false, true])
    test(`a prune whose ${operation} fails ${persisted ? 'though it was done' : 'undone'} says so and can be repeated`, async () => {
      const disk = new Disk()
      const time = { ms: 0 }
      const log = await openSegmentLog(options(disk, time))
      for (let i = 0; i < 12; i++) await log.append([newEntry('a', 'x'.repeat(100))])
      // Rotating comes first, so its own folder sync must not be the one that fails.
      await log.prune(0)
      const reopened = disk.afterPowerLoss(createRandom(1))
      await using again = await openSegmentLog(options(reopened, time))
      reopened.fault = { operation, call: operation === 'remove' ? 1 : 2, persisted }
      await assert.rejects(again.prune(time.ms + 1), /injected/)
      assert.equal(reopened.fired, 1)
      assert.deepEqual((await readAll(reopened)).at(-1)?.seq ?? again.head, 12)
      await again.prune(time.ms + 1)
      assert.deepEqual(await again.read(0), [])
      assert.equal((await again.append([newEntry('b')]))[0]!.seq, 13)
      await log[Symbol.asyncDispose]()
    })
