import type { DatabaseSync } from 'node:sqlite'
import type { Cid } from '@imago/data'
import type { Did, Tid } from '@imago/syntax'

/** How far one account has come. */
export interface AdoptionRow {
  readonly did: Did
  /** The number that stands for it in the tables. */
  readonly repo: number
  readonly state: 'copying' | 'adopted' | 'refused'
  readonly reason: string | null
  readonly head: Uint8Array | null
  readonly rev: Tid | null
  readonly records: number
  readonly blobs: number
  /** JSON: CIDs. */
  readonly lost_blobs: string | null
  readonly must_announce: number
}

export interface Adopted {
  readonly head: Cid
  readonly rev: Tid
  readonly records: number
  readonly blobs: number
  readonly lostBlobs: readonly string[]
  readonly mustAnnounce: boolean
}

/** The table `adoption`. Its methods write as part of the caller's transactions. */
export interface AdoptionJournal {
  get(did: Did): AdoptionRow | undefined
  list(): readonly AdoptionRow[]
  /** Gives the account a number, or the one that it has already. */
  begin(did: Did, at: number): number
  adopted(did: Did, result: Adopted, at: number): void
  refused(did: Did, reason: string, at: number): void
  /** Its readers have missed something: the stream has to say where it stands. */
  mustAnnounce(did: Did): void
  announced(did: Did): void
  /** Removes what was copied under a number. */
  removeCopied(repo: number): void
}

const CONTENT = ['node', 'record', 'record_blob', 'blob', 'backlink', 'record_takedown'] as const

export function createAdoptionJournal(sqlite: DatabaseSync): AdoptionJournal {
  const select = sqlite.prepare('SELECT * FROM adoption WHERE did = ?')
  const selectAll = sqlite.prepare('SELECT * FROM adoption ORDER BY repo')
  const highest = sqlite.prepare(
    `SELECT max(coalesce((SELECT max(id) FROM repo), 0), coalesce((SELECT max(repo) FROM adoption), 0)) AS id`,
  )
  const insert = sqlite.prepare(
    `INSERT INTO adoption (did, repo, state, at) VALUES (?, ?, 'copying', ?)
      ON CONFLICT (did) DO UPDATE SET state = 'copying', reason = NULL, at = excluded.at`,
  )
  const finish = sqlite.prepare(
    `UPDATE adoption SET state = 'adopted', head = ?, rev = ?, records = ?, blobs = ?, lost_blobs = ?,
      must_announce = ?, at = ? WHERE did = ?`,
  )
  const refuse = sqlite.prepare(`UPDATE adoption SET state = 'refused', reason = ?, at = ? WHERE did = ?`)
  const mustAnnounce = sqlite.prepare('UPDATE adoption SET must_announce = 1 WHERE did = ?')
  const announced = sqlite.prepare('UPDATE adoption SET must_announce = 0 WHERE did = ?')
  const removals = CONTENT.map((table) => sqlite.prepare(`DELETE FROM ${table} WHERE repo = ?`))
  const get = (did: Did) => select.get(did) as AdoptionRow | undefined
  return {
    get,
    list: () => selectAll.all() as unknown as AdoptionRow[],
    begin(did, at) {
      const repo = get(did)?.repo ?? (highest.get() as { id: number }).id + 1
      insert.run(did, repo, at)
      return repo
    },
    adopted(did, { head, rev, records, blobs, lostBlobs, mustAnnounce }, at) {
      const lost = lostBlobs.length === 0 ? null : JSON.stringify(lostBlobs)
      finish.run(head.bytes, rev, records, blobs, lost, mustAnnounce ? 1 : 0, at, did)
    },
    refused: (did, reason, at) => void refuse.run(reason, at, did),
    mustAnnounce: (did) => void mustAnnounce.run(did),
    announced: (did) => void announced.run(did),
    removeCopied(repo) {
      for (const statement of removals) statement.run(repo)
    },
  }
}
