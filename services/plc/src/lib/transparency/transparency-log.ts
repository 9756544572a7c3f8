import { equalBytes } from '@imago/data'
import {
  bundlePath,
  checkTrust,
  type EntryBundle,
  formatNote,
  formatTlogProof,
  type NoteSignature,
  parseCheckpoint,
  proveConsistency,
  proveInclusion,
  type SignedCheckpoint,
  signText,
  TILE_WIDTH,
  type Tile,
  type TrustPolicy,
  tileAt,
  treeRoot,
  withTiles,
  writeEntryBundle,
} from '@imago/tlog'
import type { DurableFile } from '../durable-file.ts'
import type { PlcStore } from '../store/plc-store.ts'
import { encodeLogEntry } from './log-entry.ts'
import type { LogKeys } from './log-keys.ts'
import type { WitnessClient } from './witness-client.ts'

export interface TransparencyLogOptions {
  readonly store: Pick<PlcStore, 'tree'>
  readonly keys: LogKeys
  readonly file: DurableFile
  readonly witnesses: readonly WitnessClient[]
  /** Whose cosignatures a checkpoint needs before it is shown. Its log key has to be ours. */
  readonly policy: TrustPolicy
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** Told when a witness did not cosign, or the quorum was missed: the log goes on, and shows its last checkpoint. */
  readonly onUnwitnessed: (witness: string, error: unknown) => void
}

/** A log that stands still signs again after this time, so that who reads it sees that nothing is held back. */
export const REFRESH_MS = 60_000

/** The log as the world sees it: at its newest published checkpoint. */
export interface TransparencyLog {
  readonly origin: string
  /** What others verify its checkpoints with. */
  readonly vkeys: readonly string[]
  /** `undefined` until the first checkpoint is published. */
  readonly published: { readonly size: number; readonly note: string } | undefined
  /**
   * Publishes the newest checkpoint, where there is one and it is not shown already since a moment: signs it with both keys, has it cosigned, makes it durable
   * apart from the database, and only then shows it. One at a time.
   * @returns whether anything else is shown than before.
   */
  publish(): Promise<boolean>
  /** The bytes of a tile within the published size; `undefined` where there is none. */
  tile(tile: Tile): Promise<Uint8Array | undefined>
  bundle(bundle: EntryBundle): Promise<Uint8Array | undefined>
  /**
   * A proof file for the operation or notice of a number, its entry as extra data; `undefined` while it is not published,
   * and where the log has no entry for it.
   */
  proofOf(seq: number): Promise<string | undefined>
}

/**
 * Opens the log over its store.
 * @throws {Error} when the store is older than what the log has published, or another: whoever went on from there
 * would sign a second history.
 */
export async function openTransparencyLog(options: TransparencyLogOptions): Promise<TransparencyLog> {
  const { store, keys, file, witnesses, policy, now, onUnwitnessed } = options
  const { tree } = store

  async function fetchTile({ level, index, width }: Tile): Promise<Uint8Array> {
    return await tree.hashes(level, index * TILE_WIDTH, width)
  }

  async function readPublished(): Promise<{ size: number; note: string } | undefined> {
    const note = await file.read()
    if (note === undefined) return undefined
    const { checkpoint } = parseCheckpoint(note)
    const { size, root } = checkpoint
    const stored = (await tree.checkpoint())?.size ?? 0
    if (stored < size)
      throw new Error(
        `the log has published ${size} entries, and the database holds ${stored}: it is older than what the world has seen. Restore a newer one, or begin a log of another origin`,
      )
    const found = await withTiles(size, fetchTile, (source) => treeRoot(source, size))
    if (!equalBytes(found, root))
      throw new Error(
        `the first ${size} entries of the database are not those that the log has published: this is another database, or a damaged one`,
      )
    return { size, note }
  }

  let published = await readPublished()
  let publishedAt = Number.NEGATIVE_INFINITY

  async function cosignatures({ note, checkpoint }: SignedCheckpoint, signed: string) {
    const prove = (oldSize: number) =>
      withTiles(checkpoint.size, fetchTile, (source) => proveConsistency(source, oldSize, checkpoint.size))
    const answers = await Promise.all(
      witnesses.map(async (client): Promise<readonly NoteSignature[]> => {
        try {
          return await client.cosign(signed, checkpoint, note.text, prove)
        } catch (error) {
          onUnwitnessed(client.witness.name, error)
          return []
        }
      }),
    )
    return answers.flat()
  }

  async function publish(): Promise<boolean> {
    const newest = await tree.checkpoint()
    const isFresh = newest?.size === published?.size && now() - publishedAt < REFRESH_MS
    if (newest === undefined || isFresh) return false
    const signed = parseCheckpoint(newest.note)
    const { text } = signed.note
    const signatures = [...signed.note.signatures, ...signText(text, [keys.mlDsa44])]
    const asked = formatNote({ text, signatures })
    const note = formatNote({ text, signatures: [...signatures, ...(await cosignatures(signed, asked))] })
    try {
      checkTrust(parseCheckpoint(note), policy)
    } catch (error) {
      onUnwitnessed('quorum', error)
      return false
    }
    await file.write(note)
    published = { size: newest.size, note }
    publishedAt = now()
    return true
  }

  /** A tile that is shown: within the published log, and a partial one no wider than its place has. */
  const isShown = ({ level, index, width }: Tile) =>
    (tileAt(published?.size ?? 0, level, index)?.width ?? 0) >= width

  let publishing: Promise<unknown> = Promise.resolve()
  return {
    origin: keys.ed25519.name,
    vkeys: [keys.ed25519.verifier.vkey, keys.mlDsa44.verifier.vkey],
    get published() {
      return published
    },
    publish() {
      const result = publishing.then(publish)
      publishing = result.catch(() => {})
      return result
    },
    async tile(tile) {
      return isShown(tile) ? await fetchTile(tile) : undefined
    },
    async bundle(bundle) {
      if (!isShown({ ...bundle, level: 0 })) return undefined
      const entries = await tree.entries(bundle.index * TILE_WIDTH, bundle.width)
      if (entries.length !== bundle.width)
        throw new Error(`${bundlePath(bundle)} has entries that the database lacks`)
      return writeEntryBundle(entries.map(encodeLogEntry))
    },
    async proofOf(seq) {
      const at = published
      const index = await tree.indexOf(seq)
      if (at === undefined || index >= at.size) return undefined
      const [entry] = await tree.entries(index, 1)
      const proof = await withTiles(at.size, fetchTile, (source) => proveInclusion(source, index, at.size))
      return formatTlogProof({
        extra: encodeLogEntry(entry!),
        index,
        proof,
        checkpoint: at.note,
      })
    },
  }
}
