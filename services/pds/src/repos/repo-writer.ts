import type { Block, BlockMap, Cid } from '@imago/data'
import { createGroupCommit } from '@imago/log'
import { type CommitResult, Mst, writeCommit } from '@imago/repo'
import type { Did, Tid, TidClock } from '@imago/syntax'
import { commitEvent, entryOf, type StreamEvent, syncEvent } from '../events/events.ts'
import { createNodeCache } from './node-cache.ts'
import type {
  CommitOutcome,
  RecordChange,
  RepoChange,
  RepoState,
  RepoStatus,
  RepoStore,
} from './repo-store.ts'

/** One change that a caller asks for. */
export type RecordWrite =
  | {
      readonly action: 'create' | 'update'
      readonly path: string
      readonly block: Block
      readonly blobs: readonly Cid[]
      /** See {@link RecordPut.subject}. */
      readonly subject?: string | undefined
    }
  | { readonly action: 'delete'; readonly path: string }

/** The repository as the write finds it: every write that came before has been applied. */
export interface RepoView {
  readonly head: Cid
  readonly rev: Tid
  /** What lies at a path. */
  get(path: string): Cid | undefined
  /** Where records about the subject lie that the write asked for, sorted. */
  readonly about: readonly string[]
}

/** What a record says something of, in a collection that holds one such record about each. */
export interface Subject {
  readonly collection: string
  /** See {@link RecordPut.subject}. */
  readonly subject: string
}

/**
 * Decides what to write, seeing the repository as it is at that moment; what it throws rejects the write. It may be
 * asked again when another writer was faster, so it must not have effects of its own.
 */
export type Decide = (repo: RepoView) => readonly RecordWrite[]

export interface Committed {
  readonly cid: Cid
  readonly rev: Tid
}

/** The only way into repositories. */
export interface RepoWriter extends AsyncDisposable {
  /**
   * Queues a write. When the promise resolves, the commit and its event are durable and announced.
   * @param options.about what {@link RepoView.about} shall tell.
   * @returns the commit, or `undefined` when nothing had to change.
   * @throws {RepoWriteError}, and whatever `decide` throws; then nothing was written.
   */
  write(did: Did, decide: Decide, options?: { about?: Subject | undefined }): Promise<Committed | undefined>
  /**
   * Says that something else replaced or removed the repository. A write that changes something would find out, by the
   * head that moved; one that changes nothing would say so of a repository that is gone.
   */
  forget(did: Did): void
}

export type RepoWriteErrorCode =
  | 'RepoNotFound'
  | 'NotActive'
  | 'BlobNotFound'
  | 'CommitTooLarge'
  | 'Contention'

/** A write that cannot be done, and left no trace. */
export class RepoWriteError extends Error {
  readonly code: RepoWriteErrorCode
  /** With `NotActive`: why. */
  readonly status: RepoStatus | undefined

  constructor(code: RepoWriteErrorCode, message: string, status?: RepoStatus) {
    super(message)
    this.name = 'RepoWriteError'
    this.code = code
    this.status = status
  }
}

export interface RepoWriterPorts {
  readonly store: RepoStore
  readonly clock: TidClock
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** Judges a #commit as a stranger would: `undefined`, or what is wrong with it. `before` is what it follows. */
  readonly selfCheck: (event: StreamEvent, before: RepoState) => string | undefined
  /** Told when our own commit did not pass: a bug, or memory gone bad. Its event becomes a #sync. */
  readonly onUnfitCommit: (did: Did, fault: string) => void
}

/** Most bytes of blocks in one #commit, by the schema. */
const MAX_BLOCKS_BYTES = 2_000_000
/** What a CAR adds to blocks: its header, and for each block a length and a CID. */
const CAR_OVERHEAD_BYTES = 64
const CAR_BLOCK_OVERHEAD_BYTES = 40
const MAX_ATTEMPTS = 5
/** Writes of one flush. Larger batches save nothing more, and keep readers waiting while they are worked out. */
const MAX_BATCH = 64

const NOTHING: readonly string[] = []

interface Job {
  readonly did: Did
  readonly decide: Decide
  readonly about: Subject | undefined
}

type Answer = { readonly committed: Committed | undefined } | { readonly error: unknown }

interface Plan {
  readonly index: number
  readonly change: RepoChange
  /** The repository as it is once the change is durable. */
  readonly next: RepoState
}

/** What a write comes to without a commit of its own: nothing to do, or an error. */
interface Conclusion {
  readonly index: number
  readonly answer: Answer
  /** It was drawn from changes that were not durable yet: if they fail, it has to be drawn anew. */
  readonly onlyIfCommitted: boolean
}

/**
 * The write engine. Writes queue; one flush at a time takes all that wait, works each out on the repository as the one
 * before it leaves it, and gives the whole batch to the store, which waits for the disk once. What is remembered
 * between flushes changes only after the store has said yes, and is forgotten after it said anything else: memory is
 * never ahead of the disk.
 */
export function createRepoWriter(ports: RepoWriterPorts): RepoWriter {
  const { store, clock, now, selfCheck, onUnfitCommit } = ports
  const cache = createNodeCache()

  async function load(did: Did): Promise<RepoState> {
    const known = cache.get(did)
    if (known !== undefined) return known
    const state = await store.open(did)
    if (state === undefined) throw new RepoWriteError('RepoNotFound', `no repository of ${did} lies here`)
    return cache.remember(state)
  }

  /** Works out one write. Pure, but for the clock. `undefined` when nothing has to change. */
  function plan(index: number, state: RepoState, decide: Decide, about: readonly string[]): Plan | undefined {
    if (state.status !== undefined)
      throw new RepoWriteError('NotActive', `the account is ${state.status}`, state.status)
    const tree = Mst.open(state.nodes, state.data)
    const writes = decide({ head: state.cid, rev: state.rev, get: (path) => tree.get(path), about })
    if (writes.length === 0) return undefined
    const { did, keypair } = state
    const rev = clock.next(state.rev)
    const result = writeCommit({
      did,
      source: state.nodes,
      head: { data: state.data, rev: state.rev },
      writes,
      rev,
      keypair,
    })
    if (result.ops.length === 0) return undefined
    assertFits(result.frameBlocks)
    const { signed } = result
    const head = { cid: signed.cid, rev, data: signed.commit.data, commitBytes: signed.bytes }
    const change: RepoChange = {
      did,
      expectedHead: state.cid,
      head,
      addedNodes: result.newNodes,
      removedNodes: result.removedNodes,
      records: recordsOf(result, writes),
      events: [entryOf(did, eventOf(result, state))],
    }
    return { index, change, next: cache.after(state, change) }
  }

  /** Where records about a subject lie once `planned`, of the same repository or of others, has been written. */
  async function pathsAbout(
    did: Did,
    { collection, subject }: Subject,
    planned: readonly Plan[],
  ): Promise<string[]> {
    const paths = new Set(await store.pathsAbout(did, collection, subject))
    for (const { change } of planned) {
      if (change.did !== did) continue
      for (const record of change.records)
        if (record.cid !== null && record.subject === subject && record.path.startsWith(`${collection}/`))
          paths.add(record.path)
        else paths.delete(record.path)
    }
    return [...paths].sort()
  }

  /** Never what another host must refuse: a #sync in place of a commit that does not pass. */
  function eventOf(result: CommitResult, before: RepoState): StreamEvent {
    const { did } = before
    const event = commitEvent(did, result, now())
    const fault = selfCheck(event, before)
    if (fault === undefined) return event
    onUnfitCommit(did, fault)
    const { cid, bytes, commit } = result.signed
    return syncEvent(did, { cid, rev: commit.rev, bytes }, now())
  }

  async function flush(jobs: readonly Job[]): Promise<readonly Answer[]> {
    const answers: Answer[] = new Array(jobs.length)
    let open = jobs.map((_, index) => index)
    for (let attempt = 1; open.length > 0; attempt++) {
      const { plans, conclusions } = await planAll(jobs, open)
      const outcomes = await commitAll(plans)
      const broken = new Set<Did>()
      const again: number[] = []
      for (const [i, { index, change, next }] of plans.entries()) {
        const outcome = outcomes[i]!
        if (outcome.ok) {
          cache.put(next)
          answers[index] = { committed: { cid: change.head.cid, rev: change.head.rev } }
          continue
        }
        broken.add(change.did)
        cache.forget(change.did)
        if (outcome.reason === 'HeadMoved' && attempt < MAX_ATTEMPTS) again.push(index)
        else answers[index] = { error: errorOf(change.did, outcome) }
      }
      for (const { index, answer, onlyIfCommitted } of conclusions)
        if (onlyIfCommitted && broken.has(jobs[index]!.did)) again.push(index)
        else answers[index] = answer
      open = again.sort((a, b) => a - b)
    }
    return answers
  }

  /** Plans of all that can be planned, and what the others come to. Each sees what those before it are about to do. */
  async function planAll(
    jobs: readonly Job[],
    open: readonly number[],
  ): Promise<{ plans: Plan[]; conclusions: Conclusion[] }> {
    const plans: Plan[] = []
    const conclusions: Conclusion[] = []
    const ahead = new Map<Did, RepoState>()
    for (const index of open) {
      const { did, decide, about } = jobs[index]!
      const conclude = (answer: Answer) =>
        conclusions.push({ index, answer, onlyIfCommitted: ahead.has(did) })
      try {
        const state = ahead.get(did) ?? (await load(did))
        const planned = plan(
          index,
          state,
          decide,
          about === undefined ? NOTHING : await pathsAbout(did, about, plans),
        )
        if (planned === undefined) {
          conclude({ committed: undefined })
          continue
        }
        plans.push(planned)
        ahead.set(did, planned.next)
      } catch (error) {
        conclude({ error })
      }
    }
    return { plans, conclusions }
  }

  async function commitAll(plans: readonly Plan[]): Promise<readonly CommitOutcome[]> {
    try {
      return await store.commit(plans.map(({ change }) => change))
    } catch (error) {
      // Whether it was written nobody knows: the disk does.
      return plans.map(() => ({ ok: false, reason: 'Failed', error }))
    }
  }

  const queue = createGroupCommit<Job, Answer>({ flush, maxRequests: MAX_BATCH })
  return {
    async write(did, decide, { about } = {}) {
      const answer = await queue.submit({ did, decide, about })
      if ('error' in answer) throw answer.error
      return answer.committed
    },
    forget: (did) => cache.forget(did),
    [Symbol.asyncDispose]: () => queue.idle(),
  }
}

/** The net effect on the record table: what the operations of the commit say, with the bytes that the writes brought. */
function recordsOf(result: CommitResult, writes: readonly RecordWrite[]): RecordChange[] {
  return result.ops.map(({ path, cid, prev }) => {
    if (cid === null) return { path, cid }
    const write = writes.findLast((candidate) => candidate.path === path)
    if (write === undefined || write.action === 'delete')
      throw new Error(`an operation at ${path} that nobody asked for`)
    const { block, blobs, subject } = write
    return { path, cid, bytes: block.bytes, replaces: prev !== null, blobs, subject }
  })
}

function assertFits(blocks: BlockMap): void {
  const bytes = CAR_OVERHEAD_BYTES + blocks.byteLength + blocks.size * CAR_BLOCK_OVERHEAD_BYTES
  if (bytes > MAX_BLOCKS_BYTES)
    throw new RepoWriteError(
      'CommitTooLarge',
      `these writes make a commit of ${bytes} bytes, and at most ${MAX_BLOCKS_BYTES} may go out as one: split them`,
    )
}

function errorOf(did: Did, outcome: CommitOutcome & { ok: false }): unknown {
  switch (outcome.reason) {
    case 'Failed':
      return outcome.error
    case 'HeadMoved':
      return new RepoWriteError('Contention', `the repository of ${did} kept changing: try again`)
    case 'BlobNotFound':
      return new RepoWriteError('BlobNotFound', `blob ${outcome.blob} has not been uploaded to this account`)
    case 'NotActive':
      return outcome.status === 'absent'
        ? new RepoWriteError('RepoNotFound', `no repository of ${did} lies here`)
        : new RepoWriteError('NotActive', `the account is ${outcome.status}`, outcome.status)
  }
}
