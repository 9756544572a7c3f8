import { equalBytes } from '@imago/data'
import {
  type Checkpoint,
  proveConsistency,
  type SignedCheckpoint,
  type Tile,
  TlogError,
  tilePath,
  treeRoot,
  verifyConsistency,
  withTiles,
} from '@imago/tlog'
import { AuditAlarm } from './audit-alarm.ts'

/** A checkpoint, and the note that it came in. */
export interface Seen extends SignedCheckpoint {
  readonly text: string
}

/**
 * Whether a log goes on from where it was.
 * @throws {AuditAlarm} `Rollback`, `Split`, `Fork`, or `Tiles` where its own tiles do not lead to its root.
 */
export async function checkHistory(
  before: Seen,
  now: Seen,
  fetchTile: (tile: Tile) => Promise<Uint8Array>,
): Promise<void> {
  const [old, latest] = [before.checkpoint, now.checkpoint]
  const notes = { before: before.text, checkpoint: now.text }
  if (latest.size < old.size)
    throw new AuditAlarm('Rollback', `the log had ${old.size} entries, and has ${latest.size}`, notes)
  if (latest.size === old.size) {
    if (equalBytes(old.root, latest.root)) return
    throw new AuditAlarm('Split', `the log has two roots at size ${old.size}`, notes)
  }
  const tiles: Record<string, string> = {}
  const keep = async (tile: Tile) => {
    const bytes = await fetchTile(tile)
    tiles[tilePath(tile)] = bytes.toBase64()
    return bytes
  }
  await assertOwnRoot(latest, keep, notes)
  const proof = await withTiles(latest.size, keep, (source) =>
    proveConsistency(source, old.size, latest.size),
  )
  try {
    verifyConsistency(proof, old, latest)
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    throw new AuditAlarm(
      'Fork',
      `the log of ${latest.size} entries does not begin with that of ${old.size}: ${error.message}`,
      { ...notes, tiles },
      { cause: error },
    )
  }
}

async function assertOwnRoot(
  { size, root }: Checkpoint,
  fetchTile: (tile: Tile) => Promise<Uint8Array>,
  notes: { before: string; checkpoint: string },
): Promise<void> {
  const found = await withTiles(size, fetchTile, (source) => treeRoot(source, size))
  if (!equalBytes(found, root))
    throw new AuditAlarm('Tiles', `the tiles of the log do not lead to its root at size ${size}`, notes)
}
