const BATCH_BYTES = 1 << 20
export const BATCH_INPUTS = 1024

/**
 * The inputs of one batch, in memory that the watching thread reads too: what was being executed is known even when
 * the execution never comes back.
 */
export interface Batch {
  readonly memory: BatchMemory
  readonly size: number
  /** Whether another input of `length` bytes fits. */
  fits(length: number): boolean
  add(input: Uint8Array): void
  input(index: number): Uint8Array
  clear(): void
}

export interface BatchMemory {
  readonly bytes: SharedArrayBuffer
  /** Offset of each input, and of the end of the last. */
  readonly offsets: SharedArrayBuffer
  /** See {@link CURRENT}, {@link STOP}, {@link DONE}. */
  readonly state: SharedArrayBuffer
}

/** Index of the input being executed; −1 between executions. */
export const CURRENT = 0
/** Set to 1 from outside to end the loop after its batch. */
export const STOP = 1
/** Executions so far (two 32-bit words would wrap, so this one is a BigInt64 at byte 8). */
export const DONE = 1

export const createBatchMemory = (maxBytes: number): BatchMemory => ({
  bytes: new SharedArrayBuffer(Math.max(BATCH_BYTES, 4 * maxBytes)),
  offsets: new SharedArrayBuffer(4 * (BATCH_INPUTS + 1)),
  state: new SharedArrayBuffer(16),
})

export function openBatch(memory: BatchMemory): Batch {
  const bytes = new Uint8Array(memory.bytes)
  const offsets = new Int32Array(memory.offsets)
  let size = 0
  return {
    memory,
    get size() {
      return size
    },
    fits: (length) => size < BATCH_INPUTS && offsets[size]! + length <= bytes.length,
    add(input) {
      bytes.set(input, offsets[size]!)
      offsets[++size] = offsets[size - 1]! + input.length
    },
    // A copy in memory of its own: decoders may refuse shared memory.
    input: (index) => Uint8Array.from(bytes.subarray(offsets[index]!, offsets[index + 1]!)),
    clear() {
      size = 0
      offsets[0] = 0
    },
  }
}
