import { equalBytes } from '@imago/data'
import { judgeOperation } from '@imago/identity/plc'
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
import type { PlcStore, ReplayedNotice } from '../store/plc-store.ts'
import { AuditAlarm } from './audit-alarm.ts'
import type { Seen } from './check-history.ts'
import type { DirectoryClient } from './directory-client.ts'
import { readLogEntry, type ToJudge } from './read-log-entry.ts'

/**
 * Reads the entries that the store lacks, up to a checkpoint, and has them judged one by one. An operation that may not
 * stand is set aside: a later notice can explain it. Whatever raises an alarm raises it again at the next audit.
 * @throws {AuditAlarm} `Tiles` for entries that are not those of the root, `Entry` for one that may not stand there and
 *   that no notice withdraws, `WrongWithdrawal` for a notice about what may stand.
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
  if (done < size) await replayRest()
  const [first] = await store.unexplained(1)
  if (first !== undefined)
    throw await entryAlarm(
      await store.tree.indexOf(first.seq),
      `${first.fault} (${first.rule}), and no notice withdraws it`,
    )

  async function replayRest(): Promise<void> {
    const tiles = await alarmed(() => openAuthenticatedTiles(latest.checkpoint, client.tile))
    let before = { seq: 0, createdAt: 0, ...(await store.latest()) }
    while (done < size) {
      const index = Math.floor(done / TILE_WIDTH)
      const { width } = tileAt(size, 0, index)!
      const bundle = await client.bundle({ index, width })
      const hashes = await alarmed(() => tiles.tile(0, index))
      const entries = await alarmed(async () => readEntryBundle(bundle, width))
      let batch: ToJudge[] = []
      const end = index * TILE_WIDTH + width
      for (let at = done; at < end; at++) {
        const bytes = entries[at % TILE_WIDTH]!
        const place = (at % TILE_WIDTH) * HASH_BYTES
        if (!equalBytes(hashLeaf(bytes), hashes.subarray(place, place + HASH_BYTES)))
          throw new AuditAlarm('Tiles', `entry ${at} is not the one whose hash is in the log`, {
            checkpoint: latest.text,
          })
        const one = await readEntry(bytes, at, before)
        before = one
        if ('operation' in one) batch.push(one)
        else {
          await takeOperations(batch)
          batch = []
          await takeNotice(one, at)
        }
      }
      await takeOperations(batch)
      done = end
      onProgress?.(done, size)
    }
  }

  async function readEntry(
    bytes: Uint8Array,
    at: number,
    before: { readonly seq: number; readonly createdAt: number },
  ): Promise<ToJudge | ReplayedNotice> {
    const one = await judged(at, () => readLogEntry(bytes, at))
    if (one.createdAt < before.createdAt)
      throw await entryAlarm(
        at,
        `it was taken at ${one.createdAt}, before the entry in front of it (${before.createdAt})`,
      )
    if (one.seq <= before.seq)
      throw await entryAlarm(at, `it has number ${one.seq}, and follows number ${before.seq}`)
    return one
  }

  async function takeOperations(batch: readonly ToJudge[]): Promise<void> {
    if (batch.length === 0) return
    await store.replay(
      batch,
      (log, { operation, createdAt, fault }: ToJudge) => {
        if (fault !== undefined) throw fault
        return judgeOperation(log, operation, createdAt)
      },
      'setAside',
    )
  }

  /** Alone, because a notice that is not followed leaves no entry in our own log. */
  async function takeNotice(notice: ReplayedNotice, at: number): Promise<void> {
    const [outcome] = await store.replay(
      [notice],
      () => {
        throw new Error('a notice is no operation to be judged')
      },
      'setAside',
    )
    if (outcome?.kind === 'withdrawn') return
    const fault = outcome?.kind === 'refused' ? outcome.error.message : 'it stands there twice'
    throw new AuditAlarm('WrongWithdrawal', `the notice at entry ${at} withdraws what may stand: ${fault}`, {
      checkpoint: latest.text,
      proof: await proofOf(client, latest, at),
      history: await historyOf(notice.did),
    })
  }

  /** Everything that the log holds about a DID so far, proven. */
  async function historyOf(did: string): Promise<readonly string[]> {
    const withdrawals = await store.withdrawals(did)
    const events = [
      ...(await store.operations(did)),
      ...(await store.unexplained(Number.MAX_SAFE_INTEGER)).filter((one) => one.did === did),
      ...withdrawals,
      ...withdrawals.flatMap(({ operations }) => operations),
    ]
    const proofs: string[] = []
    for (const { seq } of events.sort((a, b) => a.seq - b.seq))
      proofs.push(await proofOf(client, latest, await store.tree.indexOf(seq)))
    return proofs
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

/** A proof file for an entry, with the entry in it. */
export async function proofOf(client: DirectoryClient, latest: Seen, index: number): Promise<string> {
  const { size } = latest.checkpoint
  const proof = await withTiles(size, client.tile, (source) => proveInclusion(source, index, size))
  const bundleIndex = Math.floor(index / TILE_WIDTH)
  const { width } = tileAt(size, 0, bundleIndex)!
  const entries = readEntryBundle(await client.bundle({ index: bundleIndex, width }), width)
  return formatTlogProof({ extra: entries[index % TILE_WIDTH]!, index, proof, checkpoint: latest.text })
}
