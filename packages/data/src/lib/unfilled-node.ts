import { Buffer } from 'node:buffer'

/** As its portable twin, with whatever the memory held before: filling it with zeros takes longer than getting it. */
export const unfilledBytes = (length: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
