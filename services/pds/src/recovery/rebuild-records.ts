import { type BlockSource, type Cid, cidOfDrisl, tryParseCid } from '@imago/data'
import { isRepoPath, Mst, RepoError } from '@imago/repo'
import type { AccountRepair } from './account-repair.ts'
import { type RecordRow, recordsOf } from './repo-tables.ts'
import { cidText, hashedNodes, readRecord } from './verify-repo.ts'

export type Entry = readonly [path: string, cid: Cid]

const FROM_BACKUP = 'restore the account from a backup if the record matters'

/**
 * Makes the table of records whole, as far as it can be: what is damaged or missing is looked for in the account's own
 * events. What is found nowhere goes.
 * @returns path and CID of every record that there is now, in the order of paths.
 */
export function repairRecords(repair: AccountRepair, events: BlockSource): Entry[] {
  const { sql, repo } = repair
  const listed = listedRecords(repair, events)
  const entries: Entry[] = []
  const damaged: { row: RecordRow; wanted: readonly Cid[] }[] = []
  for (const row of recordsOf(sql, repo.id)) {
    const inTree = listed.get(row.path)
    listed.delete(row.path)
    const cid = tryParseCid(cidText(row.cid))
    if (cid !== undefined && typeof readRecord(row) !== 'string') entries.push([row.path, cid])
    else damaged.push({ row, wanted: [inTree, cid].filter((each) => each !== undefined) })
  }
  for (const { row, wanted } of damaged) {
    const found = isRepoPath(row.path) ? findBytes(events, wanted, row.bytes) : undefined
    repair.quarantine('record', [row], 'its bytes are not what its CID says')
    sql.prepare('DELETE FROM record WHERE repo = ? AND path = ?').run(repo.id, row.path)
    if (found !== undefined) entries.push(put(repair, row.path, found))
    else repair.lost('record-invalid', 'the record is damaged, and no event holds it', FROM_BACKUP, row.path)
  }
  for (const [path, cid] of listed) {
    const found = findBytes(events, [cid])
    if (found !== undefined) entries.push(put(repair, path, found))
    else repair.lost('record-missing', `record ${cid} is gone, and no event holds it`, FROM_BACKUP, path)
  }
  return entries.sort(([a], [b]) => (a < b ? -1 : 1))
}

/** What the signed tree holds, as far as it can be read. */
function listedRecords({ sql, repo }: AccountRepair, events: BlockSource): Map<string, Cid> {
  const nodes = hashedNodes(sql, repo.id)
  const source: BlockSource = { get: (cid) => unlessInvalid(() => nodes.get(cid)) ?? events.get(cid) }
  const listed = new Map<string, Cid>()
  const root = tryParseCid(cidText(repo.data))
  if (root === undefined) return listed
  unlessInvalid(() => {
    for (const [path, cid] of Mst.open(source, root).entries()) if (isRepoPath(path)) listed.set(path, cid)
  })
  return listed
}

function unlessInvalid<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof RepoError) return undefined
    throw error
  }
}

/** Bytes of one of these CIDs: those that are there under a damaged CID, or those of an event. */
function findBytes(
  events: BlockSource,
  wanted: readonly Cid[],
  present?: Uint8Array,
): { cid: Cid; bytes: Uint8Array } | undefined {
  const actual = present && cidOfDrisl(present)
  for (const cid of wanted) {
    const bytes = actual?.equals(cid) ? present : events.get(cid)
    if (bytes !== undefined) return { cid, bytes }
  }
  return undefined
}

function put(
  { sql, repo, mended }: AccountRepair,
  path: string,
  { cid, bytes }: { cid: Cid; bytes: Uint8Array },
): Entry {
  sql
    .prepare('INSERT INTO record (repo, path, cid, rev, bytes) VALUES (?, ?, ?, ?, ?)')
    .run(repo.id, path, cid.bytes, repo.rev, bytes)
  mended(`the record is there again, as ${cid}`, path)
  return [path, cid]
}
