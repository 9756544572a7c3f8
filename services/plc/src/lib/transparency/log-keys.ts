import { concatBytes } from '@imago/data'
import { sha256 } from '@imago/data/sha256'
import { createSigningKey, type NoteSigningKey } from '@imago/tlog'

/** The keys of one log: every log has the first; the second outlives the day when the first can be forged. */
export interface LogKeys {
  readonly ed25519: NoteSigningKey
  readonly mlDsa44: NoteSigningKey
}

/**
 * Both keys of a log from one secret.
 * @param origin of the log: the name of its keys.
 * @param seed 32 bytes. Whoever has it can sign another history.
 * @param nowMs milliseconds since the Unix epoch: cosignatures say when they were made.
 */
export function deriveLogKeys(origin: string, seed: Uint8Array, nowMs: () => number): LogKeys {
  const seedOf = (purpose: string) => sha256(concatBytes([seed, new TextEncoder().encode(purpose)]))
  const seconds = () => Math.floor(nowMs() / 1000)
  return {
    ed25519: createSigningKey(origin, 'ed25519', seedOf('log ed25519')),
    mlDsa44: createSigningKey(origin, 'ml-dsa-44-cosignature', seedOf('log ml-dsa-44'), seconds),
  }
}
