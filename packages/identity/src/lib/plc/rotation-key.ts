import { type PublicKey, tryParseDidKey } from '@imago/crypto'

const MAX_KEYS = 4096

/** So much of what a key did counts at most: one that did nothing but sign is soon known to have stopped. */
const MOST_REMEMBERED = 8

interface KnownKey {
  /** `undefined` where the text is no key. */
  readonly key: PublicKey | undefined
  /** How much more often it had signed than not, when that was tried. */
  record: number
}

// Opening a key costs a third of a verification, and most operations of a directory are signed by the few keys of
// large hosts. Parsing is pure, so remembering its results changes nothing but time.
const known = new Map<string, KnownKey>()

/** The key that can sign operations, or `undefined` where the text is none of P-256 or K-256. */
export function openRotationKey(text: string): PublicKey | undefined {
  return knownKey(text).key
}

/** Remembers whether it was a key that signed something. */
export function remember(text: string, hasSigned: boolean): void {
  const one = knownKey(text)
  if (Math.abs(one.record) < MOST_REMEMBERED || hasSigned !== one.record > 0) one.record += hasSigned ? 1 : -1
}

/**
 * The one among some keys, at least one, to try first: one that is known to sign rather than one that nobody has met, and that
 * rather than one known not to. Most keys wait for a recovery that never comes: they stand first, and the host signs with
 * what stands behind them.
 */
export function likeliestSigner(keys: readonly string[]): string {
  let unmet: string | undefined
  for (const text of keys) {
    const record = known.get(text)?.record ?? 0
    if (record > 0) return text
    if (record === 0) unmet ??= text
  }
  return unmet ?? keys[0]!
}

function knownKey(text: string): KnownKey {
  const found = known.get(text)
  if (found !== undefined) return found
  const opened = { key: tryParseDidKey(text), record: 0 }
  if (known.size >= MAX_KEYS) known.delete(known.keys().next().value!)
  known.set(text, opened)
  return opened
}
