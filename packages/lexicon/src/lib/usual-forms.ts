import type { StringFormat } from '../document.ts'

/**
 * Whether bytes from `start` to `end` spell a string of a format in the form that nearly all such strings have. "No" says
 * nothing: the guards of `@imago/syntax` have the last word, on text. "Yes" has to be true, which a test holds every one
 * of these to.
 */
export type UsualForm = (bytes: Uint8Array, start: number, end: number) => boolean

const PERCENT = 0x25
const DOT = 0x2e
const SLASH = 0x2f
const ZERO = 0x30
const COLON = 0x3a
const SEMICOLON = 0x3b

const LOWER = 1
const LETTER = 2
const ALPHANUMERIC = 4
const DID_PART = 8
const KEY_PART = 16
const CID_PART = 32
const TID_PART = 64
const VISIBLE = 128
const MIME_PART = 256

/** What each byte may be part of. */
const KIND = new Uint16Array(256)
const LOWER_CASE = 'abcdefghijklmnopqrstuvwxyz'
const LETTERS = LOWER_CASE + LOWER_CASE.toUpperCase()
const ALPHANUMERICS = `${LETTERS}0123456789`
for (const [kind, characters] of [
  [LOWER, LOWER_CASE],
  [LETTER, LETTERS],
  [ALPHANUMERIC, ALPHANUMERICS],
  [DID_PART, `${ALPHANUMERICS}._:%-`],
  [KEY_PART, `${ALPHANUMERICS}_~.:-`],
  [CID_PART, `${ALPHANUMERICS}+=`],
  [TID_PART, `234567${LOWER_CASE}`],
] as const)
  for (const character of characters) KIND[character.charCodeAt(0)]! |= kind
for (let byte = 0x21; byte < 0x7f; byte++)
  KIND[byte]! |= byte === SLASH || byte === SEMICOLON ? VISIBLE : VISIBLE | MIME_PART

/** The end of the run of bytes of one kind that begins at `at`. */
function run(bytes: Uint8Array, at: number, end: number, kind: number): number {
  while (at < end && (KIND[bytes[at]!]! & kind) !== 0) at++
  return at
}

const isRun = (bytes: Uint8Array, start: number, end: number, kind: number) =>
  start < end && run(bytes, start, end, kind) === end

function spells(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  if (end - at < text.length) return false
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}

const MAX_DID = 2048
const NONE = -1

/** The end of the DID that begins at `start`, and goes on as far as it can; {@link NONE} where there is none. */
function didEnd(bytes: Uint8Array, start: number, end: number): number {
  if (!spells(bytes, start, end, 'did:')) return NONE
  const colon = run(bytes, start + 4, end, LOWER)
  if (colon === start + 4 || colon >= end || bytes[colon] !== COLON) return NONE
  const last = run(bytes, colon + 1, end, DID_PART)
  if (last === colon + 1 || last - start > MAX_DID) return NONE
  return bytes[last - 1] === COLON || bytes[last - 1] === PERCENT ? NONE : last
}

const did = (bytes: Uint8Array, start: number, end: number) => didEnd(bytes, start, end) === end

/** Names that no label can be too long in, however they are divided; see nsid.ts and handle.ts of `@imago/syntax`. */
const SHORT_NSID = 67
const SHORT_HANDLE = 65

/** Labels of letters and digits, with dots between them. Answers how many; 0 for anything else. */
function labels(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start, count = 1; ; count++) {
    const next = run(bytes, at, end, ALPHANUMERIC)
    if (next === at) return 0
    if (next === end) return count
    if (bytes[next] !== DOT) return 0
    at = next + 1
  }
}

function beginsLastLabelWithLetter(bytes: Uint8Array, end: number): boolean {
  let at = end - 1
  while (bytes[at] !== DOT) at--
  return (KIND[bytes[at + 1]!]! & LETTER) !== 0
}

function nsid(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start <= SHORT_NSID &&
    (KIND[bytes[start]!]! & LETTER) !== 0 &&
    labels(bytes, start, end) >= 3 &&
    beginsLastLabelWithLetter(bytes, end)
  )
}

function handle(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start <= SHORT_HANDLE && labels(bytes, start, end) >= 2 && beginsLastLabelWithLetter(bytes, end)
  )
}

const MAX_KEY = 512

function recordKey(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start <= MAX_KEY && bytes[start] !== DOT && isRun(bytes, start, end, KEY_PART)
}

const MAX_AT_URI = 8192

/** A record of an account that is named by its DID. */
function atUri(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > MAX_AT_URI || !spells(bytes, start, end, 'at://')) return false
  const first = didEnd(bytes, start + 5, end)
  if (first === NONE || first >= end || bytes[first] !== SLASH) return false
  const second = run(bytes, first + 1, end, DID_PART)
  return (
    second < end &&
    bytes[second] === SLASH &&
    nsid(bytes, first + 1, second) &&
    recordKey(bytes, second + 1, end)
  )
}

const MIN_CID = 8
const MAX_CID = 256
const CID_V0 = 46

function cid(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start
  return length >= MIN_CID && length <= MAX_CID && length !== CID_V0 && isRun(bytes, start, end, CID_PART)
}

const TID_LENGTH = 13
const LETTER_J = 0x6a

function tid(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === TID_LENGTH && bytes[start]! <= LETTER_J && isRun(bytes, start, end, TID_PART)
}

function language(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start
  return (length === 2 || length === 3) && isRun(bytes, start, end, LOWER)
}

const MAX_URI = 8192
const MAX_SCHEME = 81

function uri(bytes: Uint8Array, start: number, end: number): boolean {
  const colon = run(bytes, start, end, LOWER)
  return (
    end - start <= MAX_URI &&
    colon > start &&
    colon - start <= MAX_SCHEME &&
    bytes[colon] === COLON &&
    isRun(bytes, colon + 1, end, VISIBLE)
  )
}

const DATETIME = '0000-00-00T00:00:00'
const MAX_FRACTION = 20
const LETTER_Z = 0x5a

/** In UTC, of the years 1 to 9999, and on a day that its month always has. */
function datetime(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start <= DATETIME.length) return false
  for (let i = 0; i < DATETIME.length; i++) {
    const wanted = DATETIME.charCodeAt(i)
    const byte = bytes[start + i]!
    if (wanted === ZERO ? !isDigit(byte) : byte !== wanted) return false
  }
  const month = twoDigits(bytes, start + 5)
  const day = twoDigits(bytes, start + 8)
  if (month < 1 || month > 12 || day < 1 || day > (month === 2 ? 28 : 30)) return false
  if (twoDigits(bytes, start) + twoDigits(bytes, start + 2) === 0) return false
  if (twoDigits(bytes, start + 11) > 23) return false
  if (twoDigits(bytes, start + 14) > 59 || twoDigits(bytes, start + 17) > 59) return false
  let at = start + DATETIME.length
  if (bytes[at] === DOT) {
    const digits = ++at
    while (at < end && isDigit(bytes[at]!)) at++
    if (at === digits || at - digits > MAX_FRACTION) return false
  }
  return at === end - 1 && bytes[at] === LETTER_Z
}

const isDigit = (byte: number) => byte >= ZERO && byte <= ZERO + 9
const twoDigits = (bytes: Uint8Array, at: number) => (bytes[at]! - ZERO) * 10 + bytes[at + 1]! - ZERO

export const USUAL_FORMS: Readonly<Record<StringFormat, UsualForm>> = {
  'at-identifier': (bytes, start, end) => did(bytes, start, end) || handle(bytes, start, end),
  'at-uri': atUri,
  cid,
  datetime,
  did,
  handle,
  language,
  nsid,
  'record-key': recordKey,
  tid,
  uri,
}

/** Whether bytes surely spell a MIME type that one of the globs stands for. See `isBlob` for what a glob is. */
export function usualMimeTypes(globs: readonly string[]): UsualForm {
  const forms = globs.map((glob) => ({
    text: glob.endsWith('/*') ? glob.slice(0, -1) : glob,
    isWhole: !glob.endsWith('/*'),
  }))
  if (globs.includes('*/*')) return () => true
  return (bytes, start, end) => {
    for (let i = 0; i < forms.length; i++) {
      const { text, isWhole } = forms[i]!
      if (!spells(bytes, start, end, text)) continue
      const rest = start + text.length
      if (isWhole ? rest === end : isRun(bytes, rest, end, MIME_PART)) return true
    }
    return false
  }
}
