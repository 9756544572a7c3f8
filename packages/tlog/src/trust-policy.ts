import type { SignedCheckpoint } from './checkpoint.ts'
import { isSameKey, type NoteKey, parseVkey } from './note-key.ts'
import { verifiedSignatures } from './signed-note.ts'
import { TlogError } from './tlog-error.ts'

/** Whom to believe: which logs, and how many of which witnesses must have seen the same. */
export interface TrustPolicy {
  readonly logs: readonly { readonly key: NoteKey; readonly url: string | undefined }[]
  readonly witnesses: readonly Witness[]
  readonly quorum: Quorum
}

export interface Witness {
  readonly name: string
  readonly key: NoteKey
  readonly url: string | undefined
}

/** A witness, or at least `threshold` of several. A threshold of 0 demands nobody. */
export type Quorum = Witness | { readonly threshold: number; readonly members: readonly Quorum[] }

const NOBODY: Quorum = { threshold: 0, members: [] }

/**
 * Reads a policy file.
 * @throws {TlogError} `InvalidPolicy`, naming the line.
 * @see https://c2sp.org/tlog-policy
 */
export function parseTrustPolicy(text: string): TrustPolicy {
  const logs: { key: NoteKey; url: string | undefined }[] = []
  const witnesses: Witness[] = []
  const named = new Map<string, Quorum>()
  const members = new Set<string>()
  let quorum: Quorum | undefined

  function define(name: string, value: Quorum): void {
    if (name === 'none' || named.has(name)) throw new Error(`the name ${name} is taken`)
    named.set(name, value)
  }

  function keyOf(vkey: string, known: readonly { key: NoteKey }[]): NoteKey {
    const key = parseVkey(vkey)
    if (known.some((other) => isSameKey(other.key, key)))
      throw new Error(`the key of ${key.name} stands here twice`)
    return key
  }

  function lookUp(name: string): Quorum {
    const value = named.get(name)
    if (value === undefined) throw new Error(`${name} is not defined above`)
    return value
  }

  function readLine([keyword, ...items]: readonly string[]): void {
    const [first, second, third] = items
    if (keyword === 'log' && first !== undefined && items.length <= 2)
      logs.push({ key: keyOf(first, logs), url: second })
    else if (keyword === 'witness' && first !== undefined && second !== undefined && items.length <= 3) {
      const witness = { name: first, key: keyOf(second, witnesses), url: third }
      define(first, witness)
      witnesses.push(witness)
    } else if (keyword === 'group' && first !== undefined && second !== undefined && third !== undefined) {
      const names = items.slice(2)
      for (const name of names) {
        if (members.has(name)) throw new Error(`${name} is a member twice`)
        members.add(name)
      }
      define(first, { threshold: thresholdOf(second, names.length), members: names.map(lookUp) })
    } else if (keyword === 'quorum' && first !== undefined && items.length === 1) {
      if (quorum !== undefined) throw new Error('there is a second quorum')
      quorum = first === 'none' ? NOBODY : lookUp(first)
    } else throw new Error('it is neither a log, a witness, a group nor a quorum')
  }

  for (const [index, line] of text.split('\n').entries()) {
    const items = line.split(/[ \t]+/).filter((item) => item !== '')
    if (items.length === 0 || items[0]!.startsWith('#')) continue
    try {
      readLine(items)
    } catch (error) {
      throw new TlogError('InvalidPolicy', `line ${index + 1} of the policy: ${(error as Error).message}`)
    }
  }
  if (quorum === undefined)
    throw new TlogError(
      'InvalidPolicy',
      'the policy has no quorum line: write `quorum none` to demand no witness',
    )
  return { logs, witnesses, quorum }
}

function thresholdOf(text: string, members: number): number {
  if (text === 'any') return 1
  if (text === 'all') return members
  const threshold = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : 0
  if (threshold < 1 || threshold > members)
    throw new Error(`${text} of ${members} members cannot be demanded`)
  return threshold
}

export interface TrustOptions {
  /** Seconds since the Unix epoch. Cosignatures that say they are later by more than a minute do not count. */
  readonly now?: number
  /** Cosignatures older than this many seconds do not count: none does without `now`. Default: any age. */
  readonly maxAgeSeconds?: number
}

const CLOCK_SKEW_SECONDS = 60

/**
 * Whether a checkpoint is one that the policy believes.
 * @returns the witnesses that have cosigned it.
 * @throws {TlogError} `NotTrusted` when a signature of the log or the quorum is missing, `InvalidNote` when a known key's
 * signature is forged.
 */
export function checkTrust(
  { note, checkpoint }: SignedCheckpoint,
  policy: TrustPolicy,
  { now = Number.POSITIVE_INFINITY, maxAgeSeconds = Number.POSITIVE_INFINITY }: TrustOptions = {},
): readonly Witness[] {
  const logKeys = policy.logs.map(({ key }) => key).filter((key) => key.name === checkpoint.origin)
  if (verifiedSignatures(note, logKeys).length === 0)
    throw new TlogError(
      'NotTrusted',
      `the checkpoint of ${checkpoint.origin} bears no signature of a known key of that log`,
    )
  const keys = policy.witnesses.map(({ key }) => key)
  const signed = new Set(
    verifiedSignatures(note, keys)
      .filter(({ verifier, signature }) => {
        const time = verifier.timeOf(signature)
        return time === undefined || (time <= now + CLOCK_SKEW_SECONDS && now - time <= maxAgeSeconds)
      })
      .map(({ verifier }) => verifier),
  )
  const witnessed = (part: Quorum): boolean =>
    'key' in part ? signed.has(part.key) : part.members.filter(witnessed).length >= part.threshold
  const found = policy.witnesses.filter(({ key }) => signed.has(key))
  if (!witnessed(policy.quorum))
    throw new TlogError(
      'NotTrusted',
      `the checkpoint of ${checkpoint.origin} at size ${checkpoint.size} lacks its quorum: cosigned by ${found.map(({ name }) => name).join(', ') || 'no known witness'}`,
    )
  return found
}
