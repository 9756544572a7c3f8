import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { Cid, parseCid } from '@imago/data'
import type { Did } from '@imago/syntax'
import type { BlobCarrier, ReferencePlace } from './blob-carrier.ts'
import { timeToReference } from './reference-times.ts'

interface OurRow {
  cid: Uint8Array
  mime_type: string
  size: number
  created_at: number
  temporary: number
  takedown_ref: string | null
}

interface TheirRow {
  cid: string
  tempKey: string | null
  takedownRef: string | null
}

/**
 * Makes the blobs of an account there those that it has here, inside the caller's transaction: rows and bytes.
 * @returns whether anything was different, and what nothing names any more once the transaction is committed.
 */
export async function returnBlobs(
  ours: DatabaseSync,
  store: DatabaseSync,
  account: {
    did: Did
    repo: number
    blobs: BlobCarrier
    dryRun: boolean
  },
): Promise<{ changed: boolean; obsolete: readonly ReferencePlace[] }> {
  const { did, repo, blobs, dryRun } = account
  const here = ours
    .prepare('SELECT cid, mime_type, size, created_at, temporary, takedown_ref FROM blob WHERE repo = ?')
    .all(repo) as unknown as OurRow[]
  const there = new Map(
    (store.prepare('SELECT cid, tempKey, takedownRef FROM blob').all() as unknown as TheirRow[]).map(
      (row) => [row.cid, row],
    ),
  )
  const insert = store.prepare(
    'INSERT INTO blob (cid, mimeType, size, tempKey, createdAt) VALUES (?, ?, ?, ?, ?)',
  )
  const keep = store.prepare('UPDATE blob SET tempKey = NULL WHERE cid = ?')
  const takeDown = store.prepare('UPDATE blob SET takedownRef = ? WHERE cid = ?')
  const remove = store.prepare('DELETE FROM blob WHERE cid = ?')
  const obsolete: ReferencePlace[] = []
  let changed = false
  const carry = async (cid: Cid, to: ReferencePlace) => {
    changed = true
    if (!dryRun) await blobs.give(cid, to)
  }
  const temporary = (key: string): ReferencePlace => ({ kind: 'temporary', did, key })

  for (const row of here) {
    const cid = new Cid(row.cid)
    const name = cid.toString()
    const known = there.get(name)
    there.delete(name)
    const served: ReferencePlace = { kind: 'served', did, cid }
    const quarantined: ReferencePlace = { kind: 'quarantined', did, cid }
    if (known === undefined) {
      const key = row.temporary === 1 ? randomUUID().replaceAll('-', '') : null
      await carry(cid, key === null ? served : temporary(key))
      insert.run(name, row.mime_type, row.size, key, timeToReference(row.created_at))
    } else if (known.tempKey !== null && row.temporary === 0) {
      await carry(cid, served)
      keep.run(name)
      obsolete.push(temporary(known.tempKey))
    }
    if ((known?.takedownRef ?? null) === row.takedown_ref) continue
    await carry(cid, row.takedown_ref === null ? served : quarantined)
    takeDown.run(row.takedown_ref, name)
    obsolete.push(row.takedown_ref === null ? quarantined : served)
  }
  const cameOver = adoptedBlobs(ours, did)
  for (const { cid, tempKey, takedownRef } of there.values()) {
    // What did not come over cannot have been removed here.
    if (takedownRef !== null || cameOver.lost.has(cid) || tempKey !== null) continue
    changed = true
    remove.run(cid)
    obsolete.push({ kind: 'served', did, cid: parseCid(cid) })
  }
  return { changed, obsolete }
}

function adoptedBlobs(ours: DatabaseSync, did: Did): { lost: ReadonlySet<string> } {
  const row = ours.prepare('SELECT lost_blobs FROM adoption WHERE did = ?').get(did) as
    | { lost_blobs: string | null }
    | undefined
  return { lost: new Set(row?.lost_blobs == null ? [] : (JSON.parse(row.lost_blobs) as string[])) }
}
