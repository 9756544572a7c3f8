import { type Curve, importKeypair, KeyError, type Keypair } from '@imago/crypto'
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { KeyFormError } from './key-error.ts'

/** Words that 32 bytes come to, a checksum of eight bits included. */
const WORDS = 24
const WORDS_PER_LINE = 4
const CURVE_LINE = /\bcurve\s+(p256|k256)\b/i
const DID_KEY = /did:key:z[1-9A-HJ-NP-Za-km-z]+/

/** The secret as 24 words of BIP-39. */
export const wordsOf = (keypair: Keypair): readonly string[] =>
  entropyToMnemonic(keypair.exportSecret(), wordlist).split(' ')

/**
 * A sheet to print or to write down: numbered words, with the curve, which they do not say, and the public key, by
 * which whoever types them in sees that it is the right one.
 */
export function formatWordSheet(keypair: Keypair): string {
  const words = wordsOf(keypair)
  const cells = words.map((word, i) => `${String(i + 1).padStart(2)} ${word.padEnd(10)}`)
  const lines = Array.from({ length: WORDS / WORDS_PER_LINE }, (_, i) =>
    cells
      .slice(i * WORDS_PER_LINE, (i + 1) * WORDS_PER_LINE)
      .join('')
      .trimEnd(),
  )
  return `curve ${keypair.curve}\n${keypair.didKey}\n\n${lines.join('\n')}\n`
}

/**
 * A key from a sheet, typed in with or without numbers and the rest.
 * @param curve where the sheet does not say it.
 * @throws {KeyFormError}
 */
export function parseWordSheet(text: string, curve?: Curve): Keypair {
  const named = CURVE_LINE.exec(text)?.[1]?.toLowerCase() as Curve | undefined
  const didKey = DID_KEY.exec(text)?.[0]
  // “curve” is one of the words, too.
  const tokens = text
    .replace(CURVE_LINE, ' ')
    .replace(DID_KEY, ' ')
    .toLowerCase()
    .split(/[\s,.]+/)
  const words = tokens.filter((token) => wordlist.includes(token))
  const strangers = tokens.filter(
    (token) => /^[a-z]+$/.test(token) && !wordlist.includes(token) && token !== 'curve',
  )
  if (strangers.length > 0)
    throw new KeyFormError(`“${strangers[0]}” is not a word of the list: look for a slip`)
  if (words.length !== WORDS) throw new KeyFormError(`a key has ${WORDS} words, and here are ${words.length}`)
  const known = named ?? curve
  if (known === undefined)
    throw new KeyFormError(
      'the words do not say which curve they are of: add a line `curve p256` or `curve k256`',
    )
  let keypair: Keypair
  try {
    keypair = importKeypair(known, mnemonicToEntropy(words.join(' '), wordlist))
  } catch (error) {
    if (error instanceof KeyError) throw new KeyFormError(error.message)
    throw new KeyFormError(
      'the checksum of the words does not fit: one of them is wrong, or two changed places',
    )
  }
  if (didKey !== undefined && didKey !== keypair.didKey)
    throw new KeyFormError(`the words are of ${keypair.didKey}, and the sheet says ${didKey}`)
  return keypair
}
