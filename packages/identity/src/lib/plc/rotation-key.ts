import { type PublicKey, tryParseDidKey } from '@imago/crypto'

const MAX_KEYS = 4096

// Opening a key costs a third of a verification, and most operations of a directory are signed by the few keys of
// large hosts. Parsing is pure, so remembering its results changes nothing but time.
const opened = new Map<string, PublicKey | undefined>()

/** The key that can sign operations, or `undefined` where the text is none of P-256 or K-256. */
export function openRotationKey(text: string): PublicKey | undefined {
  const known = opened.get(text)
  if (known !== undefined || opened.has(text)) return known
  const key = tryParseDidKey(text)
  if (opened.size >= MAX_KEYS) opened.delete(opened.keys().next().value!)
  opened.set(text, key)
  return key
}
