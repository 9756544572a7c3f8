import assert from 'node:assert/strict'
import { generateKeypair } from '@imago/crypto'
import {
  createGenesis,
  type DidPlc,
  judgeOperation,
  type Operation,
  operationCid,
  type PlcOperation,
  updateOperation,
} from '@imago/identity/plc'
import {
  createSigningKey,
  hashLeaf,
  parseCheckpoint,
  proveConsistency,
  treeRoot,
  verifyConsistency,
  withTiles,
} from '@imago/tlog'
import { encodeLogEntry } from '../../transparency/log-entry.ts'
import { createGrowTree, type GrowTree } from '../../transparency/tree-growth.ts'
import type { PlcStore, Replayed, StoredOperation } from '../plc-store.ts'

export interface OpenOptions {
  readonly now: () => number
  readonly growTree?: GrowTree | undefined
  readonly isReplica?: boolean
  /** Logs kept in memory. Of no consequence to what is true. */
  readonly cachedLogs?: number
}

/** What an adapter must be able to do so that the suite can look at it from outside. */
export interface PlcStoreHarness extends AsyncDisposable {
  /** Opens the store; called again after the last one was closed, it opens what that one left. */
  open(options: OpenOptions): Promise<PlcStore>
  /** From now on a transaction that writes the operation or notice `seq` fails, with this message, as on a full disk. */
  failAt(seq: number, message: string): Promise<void>
  heal(): Promise<void>
}

/** Defines a test of the adapter, with a harness of its own. */
export type ContractTest = (title: string, body: (harness: PlcStoreHarness) => Promise<void>) => void

/** May undo within 72 hours what {@link weak} did. */
export const strong = generateKeypair('k256')
export const weak = generateKeypair('p256')
export const now = () => 1000

const origin = 'plc.test/log'
const logKey = createSigningKey(origin, 'ed25519', new Uint8Array(32).fill(1), () => 0)
export const growTree = createGrowTree(origin, logKey)

/** A DID and the operation that it is named by. */
export interface Registered {
  readonly did: DidPlc
  readonly operation: PlcOperation
}

export const genesisOf = (name: string): Registered =>
  createGenesis(
    {
      rotationKeys: [strong.didKey, weak.didKey],
      verificationMethods: {},
      alsoKnownAs: [name],
      services: {},
    },
    weak,
  )

export const rename = (last: PlcOperation, name: string, key = weak) =>
  updateOperation(last, { alsoKnownAs: [name] }, key)

/** Takes an operation as a version would have that looked at nothing. */
export const takeLaxly = (
  store: PlcStore,
  did: DidPlc,
  operation: PlcOperation,
  undone: readonly PlcOperation[] = [],
) =>
  store.commit(did, ({ createdAt }) => ({
    kind: 'accept',
    verdict: {
      entry: { operation, cid: operationCid(operation), createdAt, signer: 0, nullified: false },
      nullified: undone.map(operationCid),
    },
  }))

/** The operation under a signature of another one. */
export const forged = (operation: PlcOperation, { operation: other }: Registered): PlcOperation => ({
  ...operation,
  sig: other.sig,
})

export const cidText = (operation: Operation) => operationCid(operation).toString()

/** Takes an operation as an authority does: known, judged and written, or thrown. */
export const take = (store: PlcStore, did: DidPlc, operation: Operation) =>
  store.commit(did, ({ log, createdAt }) => {
    const cid = operationCid(operation)
    const entry = log.entries.find((known) => known.cid.equals(cid))
    return entry === undefined
      ? { kind: 'accept', verdict: judgeOperation(log, operation, createdAt) }
      : { kind: 'known', entry }
  })

export const judge: Parameters<PlcStore['replay']>[1] = (log, { operation, createdAt }) =>
  judgeOperation(log, operation, createdAt)

/** An operation as another directory tells it. */
export const replayed = (
  { did }: Registered,
  operation: Operation,
  seq: number,
  createdAt = seq,
): Replayed => ({
  did,
  operation,
  seq,
  createdAt,
})

export const seqs = (operations: readonly StoredOperation[]) => operations.map(({ seq }) => seq)

/**
 * The store's log is what its entries make it, and continues an older checkpoint.
 * @returns its size.
 */
export async function consistentFrom(store: PlcStore, older?: string): Promise<number> {
  const { tree } = store
  const { checkpoint } = parseCheckpoint((await tree.checkpoint())!.note)
  const { size, root } = checkpoint
  const entries = await tree.entries(0, size + 1)
  assert.equal(entries.length, size)
  const notices = await store.withdrawalPage(0, size)
  const numbered = [
    ...(await store.page({ seq: 0 }, size + 1)),
    ...(await store.unexplained(size)),
    ...notices,
  ]
  // What a replica was told of, and never took, has no entry.
  const taken = notices.flatMap(({ operations }) => operations).filter(({ fault }) => !/upstream/.test(fault))
  assert.deepEqual(
    entries.map(({ cid }) => cid.toString()),
    [...numbered, ...taken].sort((x, y) => x.seq - y.seq).map(({ cid }) => cid),
  )
  const leaves = await tree.hashes(0, 0, size + 1)
  for (const [i, entry] of entries.entries())
    assert.deepEqual(hashLeaf(encodeLogEntry(entry)), leaves.slice(32 * i, 32 * (i + 1)))
  const read = <T>(compute: Parameters<typeof withTiles<T>>[2]) =>
    withTiles(size, ({ level, index, width }) => tree.hashes(level, index * 256, width), compute)
  assert.deepEqual(await read((source) => treeRoot(source, size)), root)
  if (older !== undefined) {
    const before = parseCheckpoint(older).checkpoint
    verifyConsistency(await read((source) => proveConsistency(source, before.size, size)), before, checkpoint)
  }
  return size
}
