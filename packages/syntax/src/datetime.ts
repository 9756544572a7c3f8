import { InvalidIdentifierError } from './invalid-identifier-error.ts'

/** A moment, such as `2026-01-31T12:00:00.000Z`: what RFC 3339, ISO 8601 and HTML all read alike. */
export type Datetime = `${string}T${string}`

const MAX_LENGTH = 64
const MAX_FRACTION_DIGITS = 20
const SECONDS_LENGTH = 'YYYY-MM-DDTHH:MM:SS'.length
const OFFSET_LENGTH = '+HH:MM'.length

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** 0000-01-01T00:00:00Z. No datetime lies before it, whatever its offset. */
const EARLIEST_MS = -62_167_219_200_000
/** 9999-12-31T23:59:59.999Z. */
const LATEST_MS = 253_402_300_799_999

const PLUS = 0x2b
const DASH = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const LETTER_T = 0x54
const LETTER_Z = 0x5a

/**
 * Whether a value is a datetime fit for a new record: a real date and time of the years 0000 to 9999, upper-case `T`
 * and `Z`, seconds present, at most 20 digits of fraction, an explicit zone that is not `-00:00`.
 * @see https://atproto.com/specs/lexicon#datetime
 */
export function isDatetime(value: unknown): value is Datetime {
  return tryParseDatetimeMs(value) !== undefined
}

/**
 * Whether a value is a datetime, or would be one if it named its zone: records written by early clients lack it.
 */
export function isLenientDatetime(value: unknown): value is Datetime {
  return isDatetime(value) || (typeof value === 'string' && isDatetime(`${value}Z`))
}

/** The datetime as it was written, when `value` is one; otherwise `undefined`. */
export function tryParseDatetime(value: unknown): Datetime | undefined {
  return isDatetime(value) ? value : undefined
}

/**
 * The same string, now known to be a datetime.
 * @throws {InvalidIdentifierError} when it is not one.
 */
export function parseDatetime(value: string): Datetime {
  if (!isDatetime(value))
    throw new InvalidIdentifierError(
      'datetime',
      value,
      'a real moment with its zone, as 2026-01-31T12:00:00.000Z',
    )
  return value
}

/**
 * Milliseconds since the Unix epoch, when `value` is a {@link isDatetime} datetime; otherwise `undefined`. Digits
 * below the millisecond are dropped.
 */
export function tryParseDatetimeMs(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length <= SECONDS_LENGTH || value.length > MAX_LENGTH)
    return undefined
  if (
    value.charCodeAt(4) !== DASH ||
    value.charCodeAt(7) !== DASH ||
    value.charCodeAt(10) !== LETTER_T ||
    value.charCodeAt(13) !== COLON ||
    value.charCodeAt(16) !== COLON
  )
    return undefined

  const dayMs = dayStartMs(
    twoDigits(value, 0) * 100 + twoDigits(value, 2),
    twoDigits(value, 5),
    twoDigits(value, 8),
  )
  const timeMs = timeOfDayMs(twoDigits(value, 11), twoDigits(value, 14), twoDigits(value, 17))
  const zoneStart = endOfFraction(value)
  const offsetMs = zoneOffsetMs(value, zoneStart)
  const ms = dayMs + timeMs + millisecondsOf(value, zoneStart) - offsetMs
  return ms >= EARLIEST_MS ? ms : undefined // NaN, from any part, fails this too
}

/**
 * The moment in the form that the specification prefers: UTC, milliseconds.
 * @param ms milliseconds since the Unix epoch, of the years 0000 to 9999.
 * @throws {RangeError} when the year is outside.
 */
export function datetimeFromMs(ms: number): Datetime {
  if (!(ms >= EARLIEST_MS && ms <= LATEST_MS))
    throw new RangeError(
      `a datetime lies in the years 0000 to 9999, so it cannot be ${ms} ms from the Unix epoch`,
    )
  return new Date(ms).toISOString() as Datetime
}

// The parts below answer NaN for what is not a part of a datetime: it survives arithmetic, so one comparison at the
// end finds it, and the scan neither allocates nor branches on the way.

const isDigit = (value: number) => value >= 0 && value <= 9

function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO
  const ones = text.charCodeAt(at + 1) - ZERO
  return isDigit(tens) && isDigit(ones) ? tens * 10 + ones : Number.NaN
}

/** Start of a day of the proleptic Gregorian calendar. (`Date.UTC` takes the years 0 to 99 for 1900 to 1999.) */
function dayStartMs(year: number, month: number, day: number): number {
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month))) return Number.NaN
  // Years are counted from March, so that the leap day is the last of its year.
  const marchYear = month <= 2 ? year - 1 : year
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  const DAYS_TO_EPOCH = 719_468 // from 0000-03-01 to 1970-01-01
  return (marchYear * 365 + leapDays + dayOfYear - DAYS_TO_EPOCH) * DAY_MS
}

function daysInMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

function timeOfDayMs(hour: number, minute: number, second: number): number {
  return hour <= 23 && minute <= 59 && second <= 59
    ? (hour * 60 + minute) * MINUTE_MS + second * 1000
    : Number.NaN
}

/** Where the zone begins: behind the seconds or their fraction; -1 when the fraction is malformed. */
function endOfFraction(text: string): number {
  if (text.charCodeAt(SECONDS_LENGTH) !== DOT) return SECONDS_LENGTH
  let end = SECONDS_LENGTH + 1
  while (isDigit(text.charCodeAt(end) - ZERO)) end++
  const digits = end - SECONDS_LENGTH - 1
  return digits >= 1 && digits <= MAX_FRACTION_DIGITS ? end : -1
}

function millisecondsOf(text: string, zoneStart: number): number {
  let ms = 0
  for (let at = SECONDS_LENGTH + 1, weight = 100; at < zoneStart && weight >= 1; at++, weight /= 10)
    ms += (text.charCodeAt(at) - ZERO) * weight
  return ms
}

function zoneOffsetMs(text: string, start: number): number {
  const sign = text.charCodeAt(start)
  if (sign === LETTER_Z) return text.length === start + 1 ? 0 : Number.NaN
  if ((sign !== PLUS && sign !== DASH) || text.length !== start + OFFSET_LENGTH) return Number.NaN
  const hours = text.charCodeAt(start + 3) === COLON ? twoDigits(text, start + 1) : Number.NaN
  const minutes = twoDigits(text, start + 4)
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN
  const ms = (hours * 60 + minutes) * MINUTE_MS
  if (sign === PLUS) return ms
  return ms === 0 ? Number.NaN : -ms // -00:00 says "zone unknown", which ISO 8601 has no form for
}
