import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Cid, RAW_CODEC } from '@imago/data'

/** Three words that begin the digest, the codec in the last bit of them; and the place. */
const ROW_WORDS = 4
const ROW_BYTES = 4 * ROW_WORDS
/** Rows that are sorted in memory: half a megabyte. Runs that are merged at a time. */
const SIZES = { runRows: 2 ** 15, fanIn: 64 }
/** Rows of a run that are read at once. */
const READ_ROWS = 1024
/** Rows that are merged before others have their turn: some milliseconds. */
const WRITE_ROWS = 2 ** 14
/** The first bits of a digest say between which rows it is. */
const BUCKET_BITS = 14
/** Rows that a look-up reads at once, in the end. */
const PAGE_ROWS = 256

/** Where blocks lie, by CID: in sorted runs in a file. It takes the same memory, however many they are. */
export interface BlockIndex extends Disposable {
  /** How many blocks are known, once it was sealed. */
  readonly rows: number
  add(cid: Cid, place: number): void
  /** Makes what was added ready to be found. Nothing may be added afterwards. */
  seal(): Promise<void>
  /**
   * A place of the block, if it was added. It may be that of another one, of which the same 95 bits of the digest are
   * known: whoever makes two such on purpose, which takes 2⁴⁷ attempts, loses one of them.
   */
  find(cid: Cid): number | undefined
}

/** So many rows of the file, from `first` on, that ascend. */
interface Run {
  readonly first: number
  readonly rows: number
}

/**
 * A temporary file of rows, which is made when there are many of them. It never waits for the disk. Disposing of it
 * removes the file.
 * @param sizes smaller ones, for tests.
 * @throws {Error} of the file system, from every operation: `ENOSPC` where the disk is full.
 */
export function createBlockIndex(path: string, { runRows, fanIn } = SIZES): BlockIndex {
  let file: number | undefined
  let fileRows = 0
  let runs: Run[] = []
  let unsorted: RunMaker | undefined = createRunMaker(runRows)
  /** Rows that take no file, since they are so few. */
  let inMemory: Uint32Array = new Uint32Array(0)
  /** Of the one run that there is in the end: its first row of each bucket, and where the last one ends. */
  const firsts = new Float64Array(2 ** BUCKET_BITS + 1)
  const page = new Uint32Array(PAGE_ROWS * ROW_WORDS)

  function write(rows: Uint32Array): void {
    file ??= openSync(path, 'w+')
    const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength)
    const start = fileRows * ROW_BYTES
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, start + at)
    fileRows += rows.length / ROW_WORDS
  }

  /** Rows from `first` on, as many as `target` takes. */
  function read(target: Uint32Array, first: number): void {
    if (file === undefined) {
      target.set(inMemory.subarray(first * ROW_WORDS, first * ROW_WORDS + target.length))
      return
    }
    const { byteLength } = target
    const bytes = new Uint8Array(target.buffer, target.byteOffset, byteLength)
    for (let at = 0; at < byteLength; ) {
      const count = readSync(file, bytes, at, byteLength - at, first * ROW_BYTES + at)
      if (count === 0) throw new Error(`${path} ends before row ${first + target.length / ROW_WORDS}`)
      at += count
    }
  }

  function flush(): void {
    const sorted = unsorted!.take()
    if (sorted.length === 0) return
    runs.push({ first: fileRows, rows: sorted.length / ROW_WORDS })
    write(sorted)
  }

  /** The one run of an index that never had a file. */
  function keepInMemory(): void {
    inMemory = unsorted!.take()
    for (let at = 0; at < inMemory.length; at += ROW_WORDS) firsts[bucketOf(inMemory[at]!) + 1]!++
    accumulate(firsts)
    runs = [{ first: 0, rows: inMemory.length / ROW_WORDS }]
  }

  /** Makes one run of some. Of rows that say the same, one stays: the block came more than once. */
  async function merge(group: readonly Run[]): Promise<Run> {
    const first = fileRows
    const heap = group.map((run) => new RunReader(run, read))
    for (let i = heap.length >> 1; i >= 0; i--) sink(heap, i)
    const merged = new Uint32Array(WRITE_ROWS * ROW_WORDS)
    const previous = new Uint32Array(ROW_WORDS)
    let count = 0
    let at = 0
    firsts.fill(0)
    for (let least = heap[0]; least !== undefined; least = heap[0]) {
      if (count === 0 || compareRows(least.rows, least.at, previous, 0) !== 0) {
        copyRow(least.rows, least.at, previous, 0)
        copyRow(previous, 0, merged, at)
        at += ROW_WORDS
        firsts[bucketOf(previous[0]!) + 1]!++
        count++
      }
      if (!least.next()) {
        const last = heap.pop()!
        if (least !== last) heap[0] = last
      }
      sink(heap, 0)
      if (at < merged.length) continue
      write(merged)
      at = 0
      await nextTurn()
    }
    write(merged.subarray(0, at))
    accumulate(firsts)
    return { first, rows: count }
  }

  return {
    get rows() {
      return runs[0]?.rows ?? 0
    },
    add(cid, place) {
      unsorted!.add(cid, place)
      if (unsorted!.isFull) flush()
    },
    async seal() {
      if (file === undefined) keepInMemory()
      else flush()
      unsorted = undefined
      // At least once, but for the one in memory: that says how many begin with what.
      while (file !== undefined) {
        const merged: Run[] = []
        for (let i = 0; i < runs.length; i += fanIn) merged.push(await merge(runs.slice(i, i + fanIn)))
        runs = merged
        if (runs.length === 1) break
      }
    },
    find(cid) {
      const [run] = runs
      if (run === undefined) return undefined
      const wanted = rowOf(cid, 0)
      const bucket = bucketOf(wanted[0]!)
      let low = firsts[bucket]!
      let high = firsts[bucket + 1]!
      while (high - low > PAGE_ROWS) {
        const middle = Math.floor((low + high) / 2)
        read(page.subarray(0, ROW_WORDS), run.first + middle)
        if (compareRows(page, 0, wanted, 0) > 0) high = middle
        else low = middle
      }
      const rows = high - low
      read(page.subarray(0, rows * ROW_WORDS), run.first + low)
      for (let from = 0, to = rows; from < to; ) {
        const middle = (from + to) >> 1
        const order = compareRows(page, middle * ROW_WORDS, wanted, 0)
        if (order === 0) return page[middle * ROW_WORDS + ROW_WORDS - 1]!
        if (order < 0) from = middle + 1
        else to = middle
      }
      return undefined
    },
    [Symbol.dispose]() {
      if (file === undefined) return
      closeSync(file)
      file = undefined
      rmSync(path, { force: true })
    },
  }
}

const bucketOf = (word: number) => word >>> (32 - BUCKET_BITS)

/** From how many there are of each to where each begins. */
function accumulate(firsts: Float64Array): void {
  for (let i = 1; i < firsts.length; i++) firsts[i]! += firsts[i - 1]!
}

const scratch = new Uint32Array(ROW_WORDS)

/** Good until the next call. */
function rowOf(cid: Cid, place: number): Uint32Array {
  scratch[0] = cid.w0
  scratch[1] = cid.w1
  scratch[2] = cid.codec === RAW_CODEC ? cid.w2 | 1 : cid.w2 & ~1
  scratch[3] = place
  return scratch
}

function copyRow(from: Uint32Array, at: number, to: Uint32Array, toAt: number): void {
  for (let i = 0; i < ROW_WORDS; i++) to[toAt + i] = from[at + i]!
}

/** Order of two rows, wherever they point. */
function compareRows(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): number {
  return a[aAt]! - b[bAt]! || a[aAt + 1]! - b[bAt + 1]! || a[aAt + 2]! - b[bAt + 2]!
}

/** Takes rows in any order, and gives them sorted. */
interface RunMaker {
  readonly isFull: boolean
  add(cid: Cid, place: number): void
  /** Good until the next call, and begins anew. Of rows that say the same, the first one stays. */
  take(): Uint32Array
}

function createRunMaker(maxRows: number): RunMaker {
  const rows = new Uint32Array(maxRows * ROW_WORDS)
  const sorted = new Uint32Array(maxRows * ROW_WORDS)
  /** The first word of a row, and its number: both in one number, which is sorted several times as fast as rows are. */
  const order = new Float64Array(maxRows)
  let count = 0
  return {
    get isFull() {
      return count === maxRows
    },
    add(cid, place) {
      copyRow(rowOf(cid, place), 0, rows, count * ROW_WORDS)
      order[count] = rows[count * ROW_WORDS]! * maxRows + count
      count++
    },
    take() {
      let end = 0
      for (const key of order.subarray(0, count).sort()) {
        const at = (key % maxRows) * ROW_WORDS
        // Those of the same first word are few, unless they are the same in all: then there is nothing to move.
        let to = end
        while (to > 0 && compareRows(sorted, to - ROW_WORDS, rows, at) > 0) to -= ROW_WORDS
        if (to > 0 && compareRows(sorted, to - ROW_WORDS, rows, at) === 0) continue
        sorted.copyWithin(to + ROW_WORDS, to, end)
        copyRow(rows, at, sorted, to)
        end += ROW_WORDS
      }
      count = 0
      return sorted.subarray(0, end)
    },
  }
}

/** Stands at a row of a run. */
class RunReader {
  readonly rows = new Uint32Array(READ_ROWS * ROW_WORDS)
  /** Where its row begins in `rows`. */
  at = 0
  #end = 0
  #first: number
  #left: number
  readonly #read: (target: Uint32Array, first: number) => void

  constructor({ first, rows }: Run, read: (target: Uint32Array, first: number) => void) {
    this.#first = first
    this.#left = rows
    this.#read = read
    this.#fill()
  }

  /** To the next row; whether there is one. */
  next(): boolean {
    this.at += ROW_WORDS
    return this.at < this.#end || this.#fill()
  }

  #fill(): boolean {
    const count = Math.min(READ_ROWS, this.#left)
    this.#read(this.rows.subarray(0, count * ROW_WORDS), this.#first)
    this.#first += count
    this.#left -= count
    this.at = 0
    this.#end = count * ROW_WORDS
    return count > 0
  }
}

/** Puts the reader at `i` of a heap where it belongs, below those with a lesser row. */
function sink(heap: RunReader[], i: number): void {
  for (let at = i; ; ) {
    let least = 2 * at + 1
    if (least >= heap.length) return
    if (least + 1 < heap.length && isBefore(heap[least + 1]!, heap[least]!)) least++
    if (!isBefore(heap[least]!, heap[at]!)) return
    const moved = heap[at]!
    heap[at] = heap[least]!
    heap[least] = moved
    at = least
  }
}

const isBefore = (a: RunReader, b: RunReader) => compareRows(a.rows, a.at, b.rows, b.at) < 0
