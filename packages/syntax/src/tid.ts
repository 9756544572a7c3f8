import { InvalidIdentifierError } from './invalid-identifier-error.ts'

/**
 * A timestamp identifier, such as `3jzfcijpj2z2a`: microseconds since the Unix epoch and a clock's id, in 13
 * characters that sort as the time does. TIDs compare as strings.
 */
export type Tid = string

/** The largest clock id: 10 bits. */
export const MAX_CLOCK_ID = 0x3ff

const TID = /^[234567a-j][234567a-z]{12}$/
const ALPHABET = '234567abcdefghijklmnopqrstuvwxyz'

// The 53 bits of microseconds do not fit the 32 that bitwise operators see. They are worked on in two parts that end
// at a character's edge: six characters above, five below. Two characters of clock id follow.
const LOW_BITS = 2 ** 25
const MICROS_CHARACTERS = 11
const HIGH_CHARACTERS = 6

/**
 * Whether a value is a syntactically valid TID. Its time may be any, the far future included.
 * @see https://atproto.com/specs/tid#tid-structure
 */
export function isTid(value: unknown): value is Tid {
  return typeof value === 'string' && value.length === 13 && TID.test(value)
}

/** The TID, when `value` is one; otherwise `undefined`. */
export function tryParseTid(value: unknown): Tid | undefined {
  return isTid(value) ? value : undefined
}

/**
 * The same string, now known to be a TID.
 * @throws {InvalidIdentifierError} when it is not one.
 */
export function parseTid(value: string): Tid {
  if (!isTid(value))
    throw new InvalidIdentifierError('TID', value, '13 characters of 2-7 and a-z, the first one not above j')
  return value
}

/**
 * The TID of one moment on one clock.
 * @param micros microseconds since the Unix epoch, a whole number below 2⁵³.
 * @param clockId tells apart clocks that run at the same time, 0 to {@link MAX_CLOCK_ID}.
 * @throws {RangeError} when either is outside its range.
 */
export function tidFromMicros(micros: number, clockId: number): Tid {
  if (!Number.isSafeInteger(micros) || micros < 0)
    throw new RangeError(`a TID holds whole microseconds from 0 to ${Number.MAX_SAFE_INTEGER}, not ${micros}`)
  assertClockId(clockId)
  const high = Math.floor(micros / LOW_BITS)
  const low = micros % LOW_BITS
  let text = ''
  for (let shift = 25; shift >= 0; shift -= 5) text += ALPHABET[(high >> shift) & 31]
  for (let shift = 20; shift >= 0; shift -= 5) text += ALPHABET[(low >> shift) & 31]
  return text + ALPHABET[clockId >> 5] + ALPHABET[clockId & 31]
}

/**
 * Microseconds since the Unix epoch. Exact for every TID that keeps to the 53 bits of the specification; of the
 * one more bit that the syntax admits, numbers lose the last place.
 */
export function tidMicros(tid: Tid): number {
  return bitsOf(tid, 0, HIGH_CHARACTERS) * LOW_BITS + bitsOf(tid, HIGH_CHARACTERS, MICROS_CHARACTERS)
}

/** The id of the clock that gave a TID, 0 to {@link MAX_CLOCK_ID}. */
export function tidClockId(tid: Tid): number {
  return bitsOf(tid, MICROS_CHARACTERS, tid.length)
}

/** Gives TIDs in order. */
export interface TidClock {
  /**
   * A TID greater than every one that this clock has read off its time source, also when that steps back, and greater
   * than `after`, also when that lies in the future.
   *
   * A future `after` lifts only this one answer. Were the clock to follow it, one imported repository with a rev of
   * next century would drag every other repository of a host along.
   * @throws {RangeError} when `after` is so late that no TID can follow it, or the time source gives no time.
   */
  next(after?: Tid): Tid
}

/**
 * A clock over a source of time.
 * @param options.nowMicros the time, in microseconds since the Unix epoch. Fractions are dropped.
 * @param options.clockId unique among clocks that run at the same time, 0 to {@link MAX_CLOCK_ID}.
 * @throws {RangeError} when the clock id is outside its range.
 * @see https://atproto.com/specs/tid
 */
export function createTidClock(options: { nowMicros: () => number; clockId: number }): TidClock {
  const { nowMicros, clockId } = options
  assertClockId(clockId)
  let last = -1
  return {
    next(after) {
      const micros = Math.max(Math.floor(nowMicros()), last + 1)
      const tid = tidFromMicros(micros, clockId)
      last = micros
      return after === undefined || tid > after ? tid : tidFromMicros(tidMicros(after) + 1, clockId)
    },
  }
}

function assertClockId(clockId: number): void {
  if (!Number.isInteger(clockId) || clockId < 0 || clockId > MAX_CLOCK_ID)
    throw new RangeError(`a TID's clock id is a whole number from 0 to ${MAX_CLOCK_ID}, not ${clockId}`)
}

/** Value of the characters from `start` up to `end`: at most six, so that it fits 31 bits. */
function bitsOf(tid: Tid, start: number, end: number): number {
  let value = 0
  for (let i = start; i < end; i++) {
    const code = tid.charCodeAt(i)
    value = value * 32 + (code < 0x61 ? code - 0x32 : code - 0x61 + 6)
  }
  return value
}
