import { decode, equalBytes } from '@imago/data'
import {
  judgeOperation,
  type Operation,
  operationBytes,
  operationCid,
  parseOperation,
} from '@imago/identity/plc'
import {
  formatTlogProof,
  HASH_BYTES,
  hashLeaf,
  openAuthenticatedTiles,
  proveInclusion,
  readEntryBundle,
  TILE_WIDTH,
  TlogError,
  tileAt,
  withTiles,
} from '@imago/tlog'
import type { PlcStore, Replayed } from '../store/plc-store.ts'
import { decodeLogEntry, encodeLogEntry, type PlcLogEntry } from '../transparency/log-entry.ts'
import { AuditAlarm } from './audit-alarm.ts'
import type { Seen } from './check-history.ts'
import type { DirectoryClient } from './directory-client.ts'

/**
 * Reads the entries that the store lacks, up to a checkpoint, and has them judged one by one.
 * @throws {AuditAlarm} `Tiles` for entries that are not those of the root, `Entry` for one that may not stand there.
 */
export async function replayEntries(options: {
  readonly client: DirectoryClient
  readonly store: PlcStore
  readonly latest: Seen
  readonly onProgress?: ((entries: number, size: number) => void) | undefined
}): Promise<void> {
  const { client, store, latest, onProgress } = options
  const { size } = latest.checkpoint
  let done = (await store.tree.checkpoint())?.size ?? 0
  if (done >= size) return
  const tiles = await alarmed(() => openAuthenticatedTiles(latest.checkpoint, client.tile))
  let time = (await store.latest())?.createdAt ?? 0

  while (done < size) {
    const index = Math.floor(done / TILE_WIDTH)
    const { width } = tileAt(size, 0, index)!
    const bundle = await client.bundle({ index, width })
    const hashes = await alarmed(() => tiles.tile(0, index))
    const entries = await alarmed(async () => readEntryBundle(bundle, width))
    const batch: Replayed[] = []
    for (let at = done; at < index * TILE_WIDTH + width; at++) {
      const bytes = entries[at % TILE_WIDTH]!
      const place = (at % TILE_WIDTH) * HASH_BYTES
      if (!equalBytes(hashLeaf(bytes), hashes.subarray(place, place + HASH_BYTES)))
        throw new AuditAlarm('Tiles', `entry ${at} is not the one whose hash is in the log`, {
          checkpoint: latest.text,
        })
      const replayed = await judged(at, () => readEntry(bytes, at))
      if (replayed.createdAt < time)
        throw await entryAlarm(
          at,
          `it was taken at ${replayed.createdAt}, before the entry in front of it (${time})`,
        )
      time = replayed.createdAt
      batch.push(replayed)
    }
    const outcomes = await store.replay(batch, (log, { operation, createdAt }) =>
      judgeOperation(log, operation, createdAt),
    )
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.kind === 'refused') throw await entryAlarm(done + i, outcome.error.message)
      if (outcome.kind !== 'accepted')
        throw await entryAlarm(done + i, 'it stands in the log twice, or out of order')
    }
    done += batch.length
    onProgress?.(done, size)
  }

  async function alarmed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof TlogError)) throw error
      throw new AuditAlarm('Tiles', error.message, { checkpoint: latest.text }, { cause: error })
    }
  }

  async function judged<T>(at: number, work: () => T): Promise<T> {
    try {
      return work()
    } catch (error) {
      throw await entryAlarm(at, (error as Error).message)
    }
  }

  async function entryAlarm(at: number, fault: string): Promise<AuditAlarm> {
    return new AuditAlarm('Entry', `entry ${at} may not stand in the log: ${fault}`, {
      checkpoint: latest.text,
      proof: await proofOf(client, latest, at),
    })
  }
}

/** @throws {Error} that says why the bytes are no entry. */
function readEntry(bytes: Uint8Array, at: number): Replayed {
  const entry = decodeLogEntry(bytes)
  if (!equalBytes(encodeLogEntry(entry), bytes)) throw new TypeError('it is not in its canonical form')
  const { did, cid, createdAt, upstreamSeq } = entry
  const operation = operationOf(entry)
  if (!operationCid(operation).equals(cid)) throw new TypeError(`its operation does not have the CID ${cid}`)
  return { did, operation, createdAt, seq: upstreamSeq ?? at + 1 }
}

function operationOf({ operation: bytes }: PlcLogEntry): Operation {
  const operation = parseOperation(decode(bytes), 'replay')
  if (!equalBytes(operationBytes(operation), bytes))
    throw new TypeError('its operation is not in its canonical form')
  return operation
}

/** A proof file for an entry, with the entry in it. */
export async function proofOf(client: DirectoryClient, latest: Seen, index: number): Promise<string> {
  const { size } = latest.checkpoint
  const proof = await withTiles(size, client.tile, (source) => proveInclusion(source, index, size))
  const bundleIndex = Math.floor(index / TILE_WIDTH)
  const { width } = tileAt(size, 0, bundleIndex)!
  const entries = readEntryBundle(await client.bundle({ index: bundleIndex, width }), width)
  return formatTlogProof({ extra: entries[index % TILE_WIDTH]!, index, proof, checkpoint: latest.text })
}
