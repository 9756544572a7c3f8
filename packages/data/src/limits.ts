/** Bounds on what a decoder builds out of bytes or JSON from outside. */
export interface Limits {
  /** Arrays and maps within one another. More than some thousands may exhaust the stack. */
  readonly maxDepth: number
  /** Items of one array, or entries of one map. */
  readonly maxEntries: number
  /** Bytes of one key. */
  readonly maxKeyBytes: number
  /** Bytes from where decoding begins to the end of the input. */
  readonly maxBytes: number
}

/** What decoders hold to when they are told nothing else: more than anything that hosts exchange today. */
export const DEFAULT_LIMITS: Limits = {
  maxDepth: 128,
  maxEntries: 131_072,
  maxKeyBytes: 8192,
  maxBytes: 16 * 2 ** 20,
}

/**
 * What a record may be, with or without a schema.
 * @see https://atproto.com/specs/data-model
 */
export const RECORD_LIMITS: Limits = { ...DEFAULT_LIMITS, maxDepth: 32, maxBytes: 2 ** 20 }
