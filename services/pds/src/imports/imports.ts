import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Block, DataError } from '@imago/data'
import type { Directory } from '@imago/identity'
import { type Commit, RepoError, type RepoStream, signCommit, verifyRepoStream } from '@imago/repo'
import { createSlots, type Logger } from '@imago/service'
import { MAX_REV_AHEAD_MS } from '@imago/sync'
import { type Did, type Tid, type TidClock, tidMicros } from '@imago/syntax'
import { entryOf, syncEvent } from '../events/events.ts'
import type { PlcClient } from '../identity/plc-client.ts'
import type { RepoState, RepoStore } from '../repos/repo-store.ts'
import { type CommitSigner, signerOf } from './commit-signers.ts'
import { createHeldBlocks, emptyHeldBlocksFolder } from './held-blocks.ts'
import { createImportBatch, type ImportBatch, type ImportCounts } from './import-batch.ts'
import type { ImportStore, Staging } from './import-store.ts'
import { InvalidImportError } from './invalid-import-error.ts'

/** What has come in so far, what an earlier attempt had brought included. */
export interface ImportProgress extends Readonly<ImportCounts> {
  /** Of the blocks, those that were here when it began. */
  readonly resumedBlocks: number
}

export interface Imported extends ImportProgress {
  readonly rev: Tid
  readonly signer: CommitSigner
}

/** Takes in repositories from elsewhere. */
export interface Imports extends AsyncDisposable {
  /**
   * Reads a CAR file to its end and puts the repository that it holds in the place of the account's own, signed anew by
   * our key at a revision beyond both. When the promise resolves, that is durable; when it rejects, nothing changed, and
   * the same file may be sent again. If it did not come to its end, what came of it is kept for a day: then it is read and
   * verified again as a whole, and written from there on, for as long as the account's own repository stays as it is.
   * @param body given away: the memory of each piece is released when the next one is asked for, unless it is only a part
   *   of a larger one.
   * @throws {InvalidImportError} and whatever `body` throws.
   */
  run(did: Did, body: AsyncIterable<Uint8Array>): Promise<Imported>
  /** Of the import that is under way for an account. */
  progress(did: Did): ImportProgress | undefined
  /** Removes, in the background, what imports left behind that do not go on any more, and what accounts that were removed held. */
  sweep(): void
}

export interface ImportsPorts {
  readonly repos: Pick<RepoStore, 'open'>
  readonly store: ImportStore
  readonly directory: Directory
  readonly plc: PlcClient
  readonly clock: TidClock
  readonly now: () => number
  readonly randomId: () => string
  /** Blocks that come before their turn wait in a folder here. */
  readonly dataDirectory: string
  /** Of one repository: bytes of the file, and bytes of the blocks that it comes to. */
  readonly maxBytes: number
  readonly logger: Logger
}

/** Imports at a time; others wait their turn. Each takes some megabytes, and a share of the one processor. */
const MAX_PARALLEL = 2
/** From the beginning of an attempt that broke off until what it brought is removed. */
const KEPT_MS = 24 * 3_600_000
const LOG_INTERVAL_MS = 5000

export function createImports(ports: ImportsPorts): Imports {
  const { repos, store, clock, now, randomId, maxBytes, logger } = ports
  const folder = emptyHeldBlocksFolder(ports.dataDirectory)
  const slots = createSlots(MAX_PARALLEL)
  const underWay = new Map<Did, Counts>()
  const running = new Set<Promise<unknown>>()
  let sweeping: Promise<void> | undefined
  let stopped = false

  async function receive(did: Did, body: AsyncIterable<Uint8Array>, counts: Counts): Promise<Imported> {
    const before = await repos.open(did)
    if (before === undefined) throw absent(did)
    using held = createHeldBlocks(folder, randomId())
    /** Nodes that came with the commit, before it was known whether any of it is here. */
    const early: Block[] = []
    let onNode = ({ cid, bytes }: Block): void => void early.push({ cid, bytes: bytes.slice() })
    const { commit, cid, records } = await verifyRepoStream(toItsEnd(body), {
      did,
      held,
      maxHeldBytes: maxBytes,
      limits: { maxBytes, maxBlocks: Number.POSITIVE_INFINITY },
      onNode: (node) => onNode(node),
    })
    const rev = clock.next(latest(before.rev, checkedRev(commit, now())))
    const signer = await checkedSigner(commit, before)
    using staging = await store.begin({ did, base: before.cid, fileHead: cid, rev, at: now() })
    if (staging === undefined) throw absent(did)
    const batch = createImportBatch(staging, counts, maxBytes)
    counts.resumedBlocks = staging.present.nodes + staging.present.records
    for (const node of early) batch.addNode(node)
    onNode = batch.addNode
    try {
      await takeIn(did, records, batch, counts)
      await finish(before, staging, commit, rev)
    } catch (error) {
      if (!(error instanceof BrokenOff)) staging.discard()
      throw error
    }
    return { ...counts, rev, signer }
  }

  async function takeIn(
    did: Did,
    records: RepoStream['records'],
    batch: ImportBatch,
    counts: Counts,
  ): Promise<void> {
    let lastLogged = now()
    for await (const some of records) {
      for (const record of some) {
        batch.addRecord(record)
        if (batch.isFull) await batch.flush()
      }
      if (stopped) throw new BrokenOff(new InvalidImportError('the server is stopping: send the file again'))
      if (now() - lastLogged < LOG_INTERVAL_MS) continue
      lastLogged = now()
      logger.info({ did, ...counts }, 'importing a repository')
    }
    await batch.flush()
  }

  async function checkedSigner(commit: Commit, { keypair, did }: RepoState): Promise<CommitSigner> {
    const signer = await signerOf(commit, { ...ports, own: keypair.publicKey })
    if (signer === 'stranger')
      throw new InvalidImportError(
        `no key that ${did} ever had signed this repository: export it anew from where the account was`,
      )
    return signer
  }

  async function finish(before: RepoState, staging: Staging, { data }: Commit, rev: Tid): Promise<void> {
    const { did, keypair } = before
    const signed = signCommit({ did, data, rev }, keypair)
    const done = await staging.finish({
      head: { cid: signed.cid, rev, data, commitBytes: signed.bytes },
      at: now(),
      // Of an account that is not active, its activation will tell.
      eventsOf: (status) =>
        status === undefined ? [entryOf(did, syncEvent(did, { ...signed, rev }, now()))] : [],
    })
    if (!done)
      throw new InvalidImportError(
        `the repository of ${did} was written to during the import, which would undo that: send the file again`,
      )
  }

  async function sweepAll(): Promise<void> {
    while (!stopped && (await store.sweep(now() - KEPT_MS))) await nextTurn()
  }

  function sweep(): void {
    // One that comes late still finds what the one before it left.
    sweeping = (sweeping ?? Promise.resolve())
      .then(sweepAll)
      .catch((error) => logger.error({ err: error }, 'what an import left behind could not be removed'))
  }

  return {
    async run(did, body) {
      if (underWay.has(did))
        throw new InvalidImportError(`an import of ${did} is under way: wait for it, or break it off`)
      const counts: Counts = { records: 0, blocks: 1, bytes: 0, resumedBlocks: 0 }
      underWay.set(did, counts)
      const startedAt = now()
      const work = slots.run(() => receive(did, body, counts))
      running.add(work)
      try {
        const imported = await work
        logger.info({ did, ...imported, ms: now() - startedAt }, 'imported a repository')
        return imported
      } catch (error) {
        logger.warn({ did, ...counts, reason: (error as Error).message }, 'an import came to nothing')
        throw explained(error)
      } finally {
        running.delete(work)
        underWay.delete(did)
        sweep()
      }
    },
    progress: (did) => underWay.get(did),
    sweep,
    async [Symbol.asyncDispose]() {
      stopped = true
      await Promise.allSettled(running)
      await sweeping
    },
  }
}

type Counts = { -readonly [K in keyof ImportProgress]: ImportProgress[K] }

const absent = (did: Did) => new InvalidImportError(`no repository of ${did} lies here`)

/** The file did not come to its end, which it may another time. The cause is what to tell. */
class BrokenOff extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

/** Tells what befell a file from what is wrong with it. Each piece is gone when the next one comes. */
async function* toItsEnd(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const piece of body) {
      yield piece
      release(piece)
    }
  } catch (cause) {
    throw new BrokenOff(cause)
  }
}

/**
 * Does not wait for the collector: it counts what lies in its own heap, and lets dozens of megabytes of pieces lie about
 * before it comes.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

const latest = (a: Tid, b: Tid): Tid => (a > b ? a : b)

/** A revision that the ones to come may follow without being refused for being ahead of time. */
function checkedRev({ rev }: Commit, nowMs: number): Tid {
  const aheadMs = tidMicros(rev) / 1000 - nowMs
  if (aheadMs > MAX_REV_AHEAD_MS)
    throw new InvalidImportError(
      `the revision ${rev} of the repository is ${Math.round(aheadMs / 60_000)} minutes ahead of this server's clock, and no host would take what follows it: set the clock that is wrong, or import later`,
    )
  return rev
}

/** What is wrong with the file is the sender's affair, and no corruption of ours. */
function explained(error: unknown): unknown {
  if (error instanceof BrokenOff) return error.cause
  if (error instanceof RepoError || error instanceof DataError)
    return new InvalidImportError(`the repository cannot be taken in: ${error.message}`, { cause: error })
  return error
}
