/** Bounds on a CAR file from outside. */
export interface CarLimits {
  /** Bytes of the header, without its length. */
  readonly maxHeaderBytes: number
  /** Bytes of one block, without its CID. */
  readonly maxBlockBytes: number
  /** Blocks, duplicates included. */
  readonly maxBlocks: number
  /** Bytes of the whole file, counted as they are read. */
  readonly maxBytes: number
}

/** What readers hold to when they are told nothing else. A reader of uploads should set `maxBytes` as well. */
export const DEFAULT_CAR_LIMITS: CarLimits = {
  maxHeaderBytes: 16_384,
  maxBlockBytes: 2 * 2 ** 20,
  maxBlocks: 4_000_000,
  maxBytes: Number.POSITIVE_INFINITY,
}

/** All bounds, of which the caller may have given some. */
export function carLimits(given: Partial<CarLimits> | undefined): CarLimits {
  return given === undefined ? DEFAULT_CAR_LIMITS : { ...DEFAULT_CAR_LIMITS, ...given }
}
