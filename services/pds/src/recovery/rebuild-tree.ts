import { type Cid, equalBytes } from '@imago/data'
import { Mst } from '@imago/repo'
import type { Tid } from '@imago/syntax'
import type { AccountRepair } from './account-repair.ts'
import type { Entry } from './rebuild-records.ts'

interface NodeRow {
  readonly id: number
  readonly cid: Uint8Array
  readonly bytes: Uint8Array
}

/**
 * Makes the table of nodes hold exactly the tree of these records.
 * @param rev of nodes that have to be made.
 */
export function repairNodes(repair: AccountRepair, tree: Mst, rev: Tid): void {
  const { sql, repo } = repair
  const select = sql.prepare('SELECT id, cid, bytes FROM node WHERE repo = ? AND cid = ?')
  const insert = sql.prepare('INSERT OR REPLACE INTO node (repo, cid, rev, bytes) VALUES (?, ?, ?, ?)')
  const belonging = new Set<string>()
  let made = 0
  for (const { cid, bytes } of tree.nodes()) {
    belonging.add(cid.bytes.toHex())
    const row = select.get(repo.id, cid.bytes) as NodeRow | undefined
    if (row !== undefined && equalBytes(row.bytes, bytes)) continue
    if (row !== undefined) repair.quarantine('node', [row], 'its bytes are not what its CID says')
    insert.run(repo.id, cid.bytes, rev, bytes)
    made++
  }
  if (made > 0) repair.mended(`${made} nodes of the tree were made again from the records`)

  const orphans: NodeRow[] = []
  for (const row of sql.prepare('SELECT id, cid, bytes FROM node WHERE repo = ?').iterate(repo.id)) {
    const node = row as unknown as NodeRow
    if (!belonging.has(node.cid.toHex())) orphans.push(node)
  }
  if (orphans.length === 0) return
  repair.quarantine('node', orphans, 'it belongs to no tree')
  const remove = sql.prepare('DELETE FROM node WHERE id = ?')
  for (const { id } of orphans) remove.run(id)
  repair.mended(`${orphans.length} nodes that belong to no tree were put aside`)
}

export function treeOf(entries: readonly Entry[]): { tree: Mst; data: Cid } {
  const tree = Mst.from(entries)
  return { tree, data: tree.root }
}
