import { decodeBase64, encodeBase64 } from './lib/base64.ts'
import { HASH_BYTES } from './merkle-tree.ts'
import { formatNote, type NoteSigner, parseNote, type SignedNote, signText } from './signed-note.ts'
import { TlogError } from './tlog-error.ts'

/** A log as it stood at one moment: the root pins all of its entries and their order. */
export interface Checkpoint {
  /** Which log: an address without its scheme, such as `plc.example.org/log`. */
  readonly origin: string
  /** Entries. */
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
  /** Lines of the log's own, which nobody can audit. Usually none. */
  readonly extensions?: readonly string[]
}

/** The text of the note that a log signs. @see https://c2sp.org/tlog-checkpoint */
export function formatCheckpointText({ origin, size, root, extensions = [] }: Checkpoint): string {
  return [origin, String(size), encodeBase64(root), ...extensions].map((line) => `${line}\n`).join('')
}

/** @throws {TlogError} `InvalidCheckpoint` */
export function parseCheckpointText(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw invalid('it does not end in a newline')
  const [origin, sizeText, rootText, ...extensions] = text.slice(0, -1).split('\n')
  if (!origin) throw invalid('it has no origin')
  const size = parseDecimal(sizeText)
  if (size === undefined) throw invalid(`${JSON.stringify(sizeText)} is not a tree size`)
  const root = rootText === undefined ? undefined : decodeBase64(rootText)
  if (root?.length !== HASH_BYTES) throw invalid(`${JSON.stringify(rootText)} is not a root hash`)
  if (extensions.includes('')) throw invalid('it has an empty line')
  return { origin, size, root, ...(extensions.length > 0 && { extensions }) }
}

/** A checkpoint with the signatures of the keys, as it is published. */
export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): string {
  const text = formatCheckpointText(checkpoint)
  return formatNote({ text, signatures: signText(text, signers) })
}

/** A note that holds a checkpoint. Says nothing about its signatures: see `checkTrust`. */
export interface SignedCheckpoint {
  readonly checkpoint: Checkpoint
  readonly note: SignedNote
}

/** @throws {TlogError} `InvalidNote` or `InvalidCheckpoint` */
export function parseCheckpoint(text: string): SignedCheckpoint {
  const note = parseNote(text)
  return { note, checkpoint: parseCheckpointText(note.text) }
}

/** A decimal without needless zeros; `undefined` for anything else, and beyond what JavaScript counts exactly. */
export function parseDecimal(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0|[1-9]\d{0,15})$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}

const invalid = (what: string) => new TlogError('InvalidCheckpoint', `not a checkpoint: ${what}`)
