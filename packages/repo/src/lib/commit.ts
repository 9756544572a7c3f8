import { type Keypair, type PublicKey, verifySignature } from '@imago/crypto'
import { type Cid, cidOfDrisl, type DataMap, decode, encode, isCid, isDataMap, type Value } from '@imago/data'
import { type Did, isDid, isTid, type Tid } from '@imago/syntax'
import { RepoError } from './repo-error.ts'

/**
 * The signed object at the top of a repository.
 * @see https://atproto.com/specs/repository#commit-objects
 */
export interface Commit {
  readonly did: Did
  readonly version: 3
  /** Root of the tree. */
  readonly data: Cid
  /** The repository's clock: greater in every commit than in the one before. */
  readonly rev: Tid
  /** A field of the past: present, and `null` in commits of today. */
  readonly prev: Cid | null
  /** 64 bytes: r‖s over the SHA-256 of the DRISL of all the other fields. */
  readonly sig: Uint8Array
}

/** A commit as it is stored and sent. */
export interface SignedCommit {
  readonly commit: Commit
  readonly cid: Cid
  readonly bytes: Uint8Array
}

const FIELDS = ['did', 'version', 'data', 'rev', 'prev', 'sig'] as const
const SIGNATURE_BYTES = 64

/**
 * Signs a commit.
 * @param fields.prev `null` unless told otherwise.
 */
export function signCommit(
  fields: { did: Did; data: Cid; rev: Tid; prev?: Cid | null },
  keypair: Keypair,
): SignedCommit {
  const { did, data, rev, prev = null } = fields
  const sig = keypair.sign(encode(unsigned({ did, data, rev, prev })))
  // In the order of DRISL, as below: encoding what has to be sorted first takes twice as long.
  const commit = { did, rev, sig, data, prev, version: 3 } as const
  const bytes = encode(commit)
  return { commit, cid: cidOfDrisl(bytes), bytes }
}

/** What is signed: a commit without its signature. */
const unsigned = ({ did, rev, data, prev }: Omit<Commit, 'version' | 'sig'>) =>
  ({ did, rev, data, prev, version: 3 }) as const

/**
 * The commit in a block. Strict: exactly the six fields, each of its type, in canonical DRISL.
 * @throws {RepoError} InvalidCommit
 */
export function parseCommit(bytes: Uint8Array): Commit {
  let value: Value
  try {
    value = decode(bytes)
  } catch (cause) {
    throw new RepoError('InvalidCommit', `not a commit: ${(cause as Error).message}`, { cause })
  }
  if (!isDataMap(value)) throw invalid('not a map')
  checkFields(value)
  const { did, version, data, rev, prev, sig } = value as Record<(typeof FIELDS)[number], Value>
  if (version !== 3) throw invalid(`version ${shown(version)}, and 3 is expected`)
  if (!isDid(did)) throw invalid(`did ${shown(did)} is not a DID`)
  if (!isCid(data)) throw invalid('data is not a link')
  if (!isTid(rev)) throw invalid(`rev ${shown(rev)} is not a TID`)
  if (prev !== null && !isCid(prev)) throw invalid('prev is neither null nor a link')
  if (!(sig instanceof Uint8Array) || sig.length !== SIGNATURE_BYTES)
    throw invalid(`sig is not ${SIGNATURE_BYTES} bytes`)
  return { did, version, data, rev, prev, sig }
}

function checkFields(value: DataMap): void {
  const names = Object.keys(value)
  const missing = FIELDS.filter((name) => !Object.hasOwn(value, name))
  if (missing.length > 0) throw invalid(`${missing.join(', ')} missing`)
  if (names.length > FIELDS.length)
    throw invalid(
      `unknown fields: ${names.filter((name) => !(FIELDS as readonly string[]).includes(name)).join(', ')}`,
    )
}

const shown = (value: Value) => JSON.stringify(value).slice(0, 80)

const invalid = (message: string) => new RepoError('InvalidCommit', `not a commit: ${message}`)

/**
 * Whether `key` made the signature of a commit, given as its block or parsed.
 * @throws {RepoError} InvalidCommit when the bytes are not a commit.
 */
export function verifyCommitSignature(commit: Uint8Array | Commit, key: PublicKey): boolean {
  const parsed = commit instanceof Uint8Array ? parseCommit(commit) : commit
  return verifySignature(key, encode(unsigned(parsed)), parsed.sig)
}
