import type { BlobRef } from '@imago/data'
import type { Did } from '@imago/syntax'
import { readRestored } from '../database/restored-state.ts'
import type { AccountRepair } from './account-repair.ts'
import type { BlobFile, BlobInventory } from './blob-inventory.ts'
import { cidOfFile, isKeptSince, isYoung, TRASH } from './verify-blobs.ts'
import { cidText } from './verify-repo.ts'

/** Files of an account, read to their ends. */
export interface InspectedFiles {
  /** Those that hold what their name says, by the text of their CID. */
  readonly whole: ReadonlyMap<string, BlobFile>
  readonly damaged: readonly BlobFile[]
}

export async function inspectFiles(blobs: BlobInventory, did: Did): Promise<InspectedFiles> {
  const whole = new Map<string, BlobFile>()
  const damaged: BlobFile[] = []
  for await (const file of blobs.files(did))
    if (file.cid !== undefined && (await cidOfFile(blobs, file)).equals(file.cid))
      whole.set(file.cid.toString(), file)
    else damaged.push(file)
  return { whole, damaged }
}

interface BlobRow {
  readonly cid: Uint8Array
  readonly size: number
  readonly temporary: number
}

/**
 * Makes the rows of blobs agree with files and with what records refer to.
 * @returns files to be taken away once the rows are durable.
 */
export function repairBlobs(
  repair: AccountRepair,
  files: InspectedFiles,
  referenced: ReadonlyMap<string, BlobRef>,
): readonly BlobFile[] {
  const { sql, repo, now, mended } = repair
  const known = new Set<string>()
  const update = sql.prepare(
    'UPDATE blob SET size = ?, temporary = ?, created_at = ? WHERE repo = ? AND cid = ?',
  )
  const rows = sql
    .prepare('SELECT cid, mime_type, size, created_at, temporary FROM blob WHERE repo = ?')
    .all(repo.id) as unknown as (BlobRow & { created_at: number })[]
  for (const row of rows) {
    const text = cidText(row.cid)
    const file = files.whole.get(text)
    if (file === undefined) {
      repair.quarantine('blob', [row], 'its file is gone or damaged')
      sql.prepare('DELETE FROM blob WHERE repo = ? AND cid = ?').run(repo.id, row.cid)
      if (referenced.has(text)) lostBlob(repair, text)
      else mended(`the row of blob ${text}, which has no file and no record, was put aside`)
      continue
    }
    known.add(text)
    const temporary = referenced.has(text) ? 0 : 1
    if (row.size === file.size && row.temporary === temporary) continue
    // One that no record refers to any more has the whole time of an upload before it goes.
    const createdAt = row.temporary === temporary ? row.created_at : now()
    update.run(file.size, temporary, createdAt, repo.id, row.cid)
    mended(`the row of blob ${text} says what file and records do`)
  }
  for (const [text, { ref, mimeType }] of referenced) {
    const file = files.whole.get(text)
    if (file === undefined || known.has(text)) continue
    sql
      .prepare(
        'INSERT INTO blob (repo, cid, mime_type, size, created_at, temporary) VALUES (?, ?, ?, ?, ?, 0)',
      )
      .run(repo.id, ref.bytes, mimeType, file.size, now())
    mended(`blob ${text} has a row again`)
  }
  repairUsage(repair)
  const trash = sql.prepare(TRASH)
  const restored = readRestored(sql)
  const strays = [...files.whole].filter(
    ([text, file]) =>
      !known.has(text) &&
      !referenced.has(text) &&
      !isYoung(file, now) &&
      !isKeptSince(restored, file, now) &&
      trash.get(repair.did, file.cid!.bytes) === undefined,
  )
  return [...files.damaged, ...strays.map(([, file]) => file)]
}

function lostBlob({ lost }: AccountRepair, cid: string): void {
  lost(
    'blob-absent',
    `blob ${cid} is gone or damaged, and a record refers to it`,
    'upload it again (com.atproto.repo.listMissingBlobs names it), or restore it from a backup',
  )
}

/** Triggers keep it; this is for what came about without them. */
function repairUsage({ sql, repo, mended }: AccountRepair): void {
  const read = () => JSON.stringify(sql.prepare('SELECT * FROM blob_usage WHERE repo = ?').get(repo.id))
  const before = read()
  sql.prepare('DELETE FROM blob_usage WHERE repo = ?').run(repo.id)
  sql
    .prepare(
      `INSERT INTO blob_usage (repo, count, bytes)
        SELECT repo, count(*), sum(size) FROM blob WHERE repo = ? GROUP BY repo`,
    )
    .run(repo.id)
  if (read() !== before) mended('what the account has stored was counted again')
}
