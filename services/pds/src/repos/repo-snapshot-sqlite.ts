import { type BlockSource, Cid } from '@imago/data'
import type { Snapshot } from '../database/database.ts'
import { exportCar } from './export-car.ts'
import type { RepoHead, RepoSnapshot } from './repo-store.ts'

export const NODE = 'SELECT bytes FROM node WHERE repo = ? AND cid = ?'
// Without statistics the planner would rather read the whole repository by its primary key.
export const RECORD_BY_CID =
  'SELECT bytes FROM record INDEXED BY record_by_cid WHERE repo = ? AND cid = ? LIMIT 1'
export const COMMIT_BYTES = 'SELECT commit_bytes AS bytes FROM repo WHERE id = ? AND head = ?'

interface StoredBlock {
  readonly cid: Uint8Array
  readonly bytes: Uint8Array
}

/** A repository as one read transaction sees it. */
export function createRepoSnapshot(snapshot: Snapshot, repo: number, head: RepoHead): RepoSnapshot {
  const node = snapshot.prepare(NODE)
  const record = snapshot.prepare(RECORD_BY_CID)
  const bytesOf = (row: unknown) => (row as { bytes: Uint8Array } | undefined)?.bytes
  const commitBytes = bytesOf(snapshot.prepare(COMMIT_BYTES).get(repo, head.cid.bytes))!
  const blocks: BlockSource = {
    get: (cid) =>
      cid.equals(head.cid)
        ? commitBytes
        : (bytesOf(node.get(repo, cid.bytes)) ?? bytesOf(record.get(repo, cid.bytes))),
  }
  return {
    head,
    blocks,

    export: () => exportCar(snapshot, repo, head, blocks),

    *exportSince(since) {
      if (head.rev <= since) return
      yield { cid: head.cid, bytes: commitBytes }
      for (const table of ['node', 'record']) {
        const added = snapshot.prepare(`SELECT cid, bytes FROM ${table} WHERE repo = ? AND rev > ?`)
        for (const { cid, bytes } of added.iterate(repo, since) as Iterable<unknown> as Iterable<StoredBlock>)
          yield { cid: new Cid(cid), bytes }
      }
    },

    [Symbol.dispose]: () => snapshot[Symbol.dispose](),
  }
}
