import type { BlobRef } from '@imago/data'
import type { AccountRepair } from './account-repair.ts'
import { backlinksOf, blobReferencesOf, recordsOf } from './repo-tables.ts'
import { readRecord } from './verify-repo.ts'

/**
 * Makes the lists of blobs and of subjects again from the records, all of which are whole by now.
 * @returns every blob that a record refers to, with one of the references to it, by the text of its CID.
 */
export function repairReferences({ sql, repo, mended }: AccountRepair): Map<string, BlobRef> {
  const rows = () => ({
    blobs: [...blobReferencesOf(sql, repo.id)],
    backlinks: [...backlinksOf(sql, repo.id)],
  })
  const before = rows()
  sql.prepare('DELETE FROM record_blob WHERE repo = ?').run(repo.id)
  sql.prepare('DELETE FROM backlink WHERE repo = ?').run(repo.id)
  const insertBlob = sql.prepare('INSERT INTO record_blob (repo, path, cid, rev) VALUES (?, ?, ?, ?)')
  const insertBacklink = sql.prepare(
    'INSERT INTO backlink (repo, path, collection, subject) VALUES (?, ?, ?, ?)',
  )
  const referenced = new Map<string, BlobRef>()
  for (const record of recordsOf(sql, repo.id)) {
    const references = readRecord(record)
    if (typeof references === 'string') continue
    const { path, rev } = record
    for (const blob of references.blobs) {
      insertBlob.run(repo.id, path, blob.ref.bytes, rev)
      referenced.set(blob.ref.toString(), blob)
    }
    if (references.subject !== undefined)
      insertBacklink.run(repo.id, path, path.slice(0, path.indexOf('/')), references.subject)
  }
  const after = rows()
  if (textOf(before.blobs) !== textOf(after.blobs))
    mended(`the list of blobs that records refer to was made again: ${after.blobs.length}`)
  if (textOf(before.backlinks) !== textOf(after.backlinks))
    mended(`the list of subjects that records are about was made again: ${after.backlinks.length}`)
  return referenced
}

const textOf = (rows: readonly object[]) =>
  JSON.stringify(rows, (_key, value) => (value instanceof Uint8Array ? value.toHex() : value))
