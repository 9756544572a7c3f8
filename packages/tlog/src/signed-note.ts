import { concatBytes, equalBytes } from '@imago/data'
import { decodeBase64, encodeBase64 } from './lib/base64.ts'
import { TlogError } from './tlog-error.ts'

/** Bytes of a key's identifier, which stand before each of its signatures. */
export const KEY_ID_BYTES = 4

/** One line below the text of a note. */
export interface NoteSignature {
  readonly name: string
  /** Four bytes. */
  readonly keyId: Uint8Array
  /** What the key's algorithm makes of the text, for timestamped cosignatures with the time before it. */
  readonly signature: Uint8Array
}

/** Text with signatures below it. */
export interface SignedNote {
  /** Ends in a newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** A key that others sign with. */
export interface NoteVerifier {
  readonly name: string
  readonly keyId: Uint8Array
  verify(text: string, signature: Uint8Array): boolean
}

/** A key of our own. */
export interface NoteSigner {
  readonly name: string
  readonly keyId: Uint8Array
  sign(text: string): Uint8Array
}

export interface NoteLimits {
  /** Default 64. Sixteen at least must be accepted. */
  readonly maxSignatures?: number
}

const DEFAULT_MAX_SIGNATURES = 64
const SIGNATURE_LINE = /^\u2014 ([^\s+]+) (\S+)$/u
// Every control character but the newline.
const CONTROL = /[\0-\x09\x0b-\x1f]/

/**
 * Takes a note apart. Says nothing about its signatures: see {@link openNote}.
 * @throws {TlogError} `InvalidNote`
 * @see https://c2sp.org/signed-note
 */
export function parseNote(
  note: string,
  { maxSignatures = DEFAULT_MAX_SIGNATURES }: NoteLimits = {},
): SignedNote {
  if (CONTROL.test(note)) throw invalid('it has a control character other than the newline')
  if (!note.isWellFormed()) throw invalid('it is not well-formed Unicode')
  // The text may hold empty lines itself: the last one is the border.
  const border = note.lastIndexOf('\n\n')
  if (border < 0) throw invalid('it has no empty line between text and signatures')
  const text = note.slice(0, border + 1)
  const below = note.slice(border + 2)
  if (!below.endsWith('\n')) throw invalid('it does not end in a newline')
  const lines = below.slice(0, -1).split('\n')
  if (lines.length > maxSignatures)
    throw invalid(`it has ${lines.length} signatures, and at most ${maxSignatures} are read`)
  return { text, signatures: lines.map(parseSignatureLine) }
}

/** Puts a note together. @throws {TlogError} `InvalidNote` for a text that no note can have. */
export function formatNote({ text, signatures }: SignedNote): string {
  if (!text.endsWith('\n')) throw invalid('its text does not end in a newline')
  return `${text}\n${signatures.map(formatSignatureLine).join('')}`
}

/** One line, its newline included. */
export const formatSignatureLine = ({ name, keyId, signature }: NoteSignature): string =>
  `\u2014 ${name} ${encodeBase64(concatBytes([keyId, signature]))}\n`

/** @param line without its newline. @throws {TlogError} `InvalidNote` */
export function parseSignatureLine(line: string): NoteSignature {
  const [, name, base64] = SIGNATURE_LINE.exec(line) ?? []
  const blob = base64 === undefined ? undefined : decodeBase64(base64)
  if (name === undefined || blob === undefined || blob.length <= KEY_ID_BYTES)
    throw invalid(`${JSON.stringify(line.slice(0, 100))} is not a signature line`)
  return { name, keyId: blob.subarray(0, KEY_ID_BYTES), signature: blob.subarray(KEY_ID_BYTES) }
}

/** Signs a text with each of the keys, in order. @param text ends in a newline. */
export const signText = (text: string, signers: readonly NoteSigner[]): NoteSignature[] =>
  signers.map((signer) => ({ name: signer.name, keyId: signer.keyId, signature: signer.sign(text) }))

/**
 * The signatures in a note that known keys made. Those of unknown keys are passed over.
 * @returns what each known key signed with, in the order of the note. Empty when none of them signed.
 * @throws {TlogError} `InvalidNote` when a signature bears name and identifier of a known key and does not verify:
 * then nothing in the note is to be believed.
 */
export function verifiedSignatures<V extends NoteVerifier>(
  note: SignedNote,
  verifiers: readonly V[],
): { verifier: V; signature: Uint8Array }[] {
  const found: { verifier: V; signature: Uint8Array }[] = []
  for (const { name, keyId, signature } of note.signatures) {
    const verifier = verifiers.find((known) => known.name === name && equalBytes(known.keyId, keyId))
    if (verifier === undefined || found.some((one) => one.verifier === verifier)) continue
    if (!verifier.verify(note.text, signature)) throw invalid(`the signature of ${name} does not verify`)
    found.push({ verifier, signature })
  }
  return found
}

/**
 * The text of a note that at least one of the keys has signed.
 * @throws {TlogError} `InvalidNote` for what is not a note or has a forged signature, `NotTrusted` when no known key
 * signed it.
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): SignedNote {
  const parsed = parseNote(note)
  if (verifiedSignatures(parsed, verifiers).length === 0)
    throw new TlogError('NotTrusted', 'no key that is known here has signed the note')
  return parsed
}

const invalid = (what: string) => new TlogError('InvalidNote', `not a signed note: ${what}`)
