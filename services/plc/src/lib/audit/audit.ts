import { equalBytes } from '@imago/data'
import {
  checkTrust,
  parseCheckpoint,
  TILE_WIDTH,
  TlogError,
  type TrustPolicy,
  treeRoot,
  withTiles,
} from '@imago/tlog'
import type { DurableFile } from '../durable-file.ts'
import type { PlcStore } from '../store/plc-store.ts'
import { AuditAlarm } from './audit-alarm.ts'
import { checkHistory, type Seen } from './check-history.ts'
import { checkSamples } from './check-samples.ts'
import type { DirectoryClient } from './directory-client.ts'
import { replayEntries } from './replay-entries.ts'

export interface AuditOptions {
  readonly client: DirectoryClient
  /** Keys of the log, witnesses, and how many of them a checkpoint needs. */
  readonly policy: TrustPolicy
  /** The auditor's own replay of the log; it keeps a tree too. Grows with each audit. */
  readonly store: PlcStore
  /** The checkpoint that was verified last. Written when everything has passed. */
  readonly state: DurableFile
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** Cosignatures older than this do not count. Default: any age. */
  readonly maxAgeSeconds?: number
  /** DIDs whose answers are held against the log, at random. Default 20. */
  readonly samples?: number
  /** A whole number, from 0 to before `below`. */
  readonly randomInt: (below: number) => number
  /** Told how far the replay is. */
  readonly onProgress?: (entries: number, size: number) => void
}

/** What an audit found in order. */
export interface AuditReport {
  readonly origin: string
  /** Entries of the log, every one of which was judged by this auditor. */
  readonly size: number
  /** Entries since the audit before. */
  readonly newEntries: number
  /** Names of the witnesses that have cosigned. */
  readonly witnesses: readonly string[]
  /** DIDs whose answers were held against the log. */
  readonly sampledDids: readonly string[]
}

/**
 * Audits a directory once: that its log goes on from where it was, that everything in it may stand there, and that its
 * API tells nothing else.
 *
 * What this cannot see: an operation that was refused or held back before it reached the log; a history shown to one
 * victim only, where the policy demands no witness; a log that stands still, unless `maxAgeSeconds` says how long.
 * @throws {AuditAlarm} for what a directory must not do.
 * @throws {DirectoryUnavailableError} when it did not answer: nothing was verified, nothing is forgotten.
 */
export async function audit(options: AuditOptions): Promise<AuditReport> {
  const { client, policy, store, state, now, maxAgeSeconds, samples = 20, randomInt, onProgress } = options
  const before = await readBefore(state)
  const latest = await latestCheckpoint()
  const { origin, size, root } = latest.checkpoint
  if (before !== undefined) await checkHistory(before, latest, client.tile)

  const seenSeq = (await store.latest())?.seq ?? 0
  await replayEntries({ client, store, latest, onProgress })
  await assertSameRoot()
  const sampledDids = await checkSamples({ client, store, latest, policy, seenSeq, samples, randomInt })
  await state.write(latest.text)
  return {
    origin,
    size,
    newEntries: size - (before?.checkpoint.size ?? 0),
    witnesses: latest.witnesses,
    sampledDids,
  }

  async function latestCheckpoint(): Promise<Seen & { readonly witnesses: readonly string[] }> {
    const text = await client.checkpoint()
    try {
      const signed = parseCheckpoint(text)
      const trusted = checkTrust(signed, policy, {
        now: Math.floor(now() / 1000),
        ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
      })
      return { ...signed, text, witnesses: trusted.map(({ name }) => name) }
    } catch (error) {
      if (!(error instanceof TlogError)) throw error
      const notes = { checkpoint: text, ...(before && { before: before.text }) }
      throw new AuditAlarm('Untrusted', error.message, notes, { cause: error })
    }
  }

  /** Our own tree, made of the entries that we judged, against the one that the log has signed. */
  async function assertSameRoot(): Promise<void> {
    const own = await withTiles(
      size,
      ({ level, index, width }) => store.tree.hashes(level, index * TILE_WIDTH, width),
      (source) => treeRoot(source, size),
    )
    if (!equalBytes(own, root))
      throw new Error(
        `the auditor's own replay does not have the root of the log at size ${size}, though each entry of it was checked: its data are damaged. Remove them, and audit again`,
      )
  }
}

async function readBefore(state: DurableFile): Promise<Seen | undefined> {
  const text = await state.read()
  return text === undefined ? undefined : { ...parseCheckpoint(text), text }
}
