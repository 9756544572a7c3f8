import { isNsid, isRecordKey } from '@imago/syntax'
import { RepoError } from './repo-error.ts'

/** The longest key of a tree: `collection/rkey`, in characters, all of them ASCII. */
export const MAX_KEY_LENGTH = 1024

/**
 * Whether `path` names a record: an NSID, a slash, a record key.
 * @see https://atproto.com/specs/repository#repo-data-structure-v3
 */
export function isRepoPath(path: unknown): path is string {
  if (typeof path !== 'string' || path.length > MAX_KEY_LENGTH) return false
  const slash = path.indexOf('/')
  return slash > 0 && isNsid(path.slice(0, slash)) && isRecordKey(path.slice(slash + 1))
}

/** One entry per byte: 1 where it may stand in a tree's key. */
export const KEY_CHARACTERS = new Uint8Array(256)
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~:/')
  KEY_CHARACTERS[character.charCodeAt(0)] = 1

/**
 * Whether a tree can hold `key`: two parts of the characters that paths are made of. The tree asks for no more, so that
 * it also holds the keys of interoperability vectors; whoever takes in a whole repository asks {@link isRepoPath}.
 */
export function isTreeKey(key: string): boolean {
  if (key.length > MAX_KEY_LENGTH || !hasTwoParts(key)) return false
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (code > 0xff || KEY_CHARACTERS[code] === 0) return false
  }
  return true
}

/** Whether exactly one slash stands in `key`, and something on both sides of it. */
export function hasTwoParts(key: string): boolean {
  const slash = key.indexOf('/')
  return slash > 0 && slash < key.length - 1 && key.indexOf('/', slash + 1) === -1
}

/** @throws {RepoError} InvalidKey */
export function assertTreeKey(key: string): void {
  if (!isTreeKey(key))
    throw new RepoError(
      'InvalidKey',
      `not a repository path: ${JSON.stringify(key.slice(0, 80))} (expected collection/rkey, of A-Z a-z 0-9 . - _ ~ : and at most ${MAX_KEY_LENGTH} characters)`,
    )
}

/** @throws {RepoError} InvalidKey */
export function assertRepoPath(path: string): void {
  if (!isRepoPath(path))
    throw new RepoError(
      'InvalidKey',
      `not a repository path: ${JSON.stringify(String(path).slice(0, 80))} (expected an NSID, a slash and a record key)`,
    )
}

/** How many characters two keys share from their beginning. */
export function commonPrefixLength(a: string, b: string): number {
  const limit = Math.min(a.length, b.length)
  let length = 0
  while (length < limit && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}
