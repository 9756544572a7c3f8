import { parseCid } from '@imago/data'
import type { CidString } from '@imago/syntax'
import type { RepoView } from '../repos/repo-writer.ts'

/** The repository, or the record, is not what the caller took it to be. Read it anew, and decide again. */
export class InvalidSwapError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'InvalidSwapError'
  }
}

/**
 * Checks `swapCommit`: the newest commit must still be this one.
 * @throws {InvalidSwapError}
 */
export function assertSwapCommit(repo: RepoView, expected: CidString | undefined): void {
  if (expected !== undefined && !repo.head.equals(parseCid(expected)))
    throw new InvalidSwapError(`the newest commit is ${repo.head}, not ${expected}`)
}

/**
 * Checks `swapRecord`: the record must still be this one; `null` asks that there be none, `undefined` for nothing.
 * @throws {InvalidSwapError}
 */
export function assertSwapRecord(repo: RepoView, path: string, expected: CidString | null | undefined): void {
  if (expected === undefined) return
  const found = repo.get(path)
  if (expected === null ? found === undefined : found?.equals(parseCid(expected))) return
  throw new InvalidSwapError(`the record at ${path} is ${found ?? 'absent'}, not ${expected ?? 'absent'}`)
}
