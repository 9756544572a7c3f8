import type { Committed } from '../repos/repo-writer.ts'

/** The `commit` field of a write's answer; nothing when nothing had to be written. */
export function committed(commit: Committed | undefined): { commit?: { cid: string; rev: string } } {
  return commit === undefined ? {} : { commit: { cid: commit.cid.toString(), rev: commit.rev } }
}
