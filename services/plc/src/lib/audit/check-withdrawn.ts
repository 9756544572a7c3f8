import { normalizeOperation, type Operation } from '@imago/identity/plc'
import { hashLeaf, parseTlogProof, TlogError, type TrustPolicy, verifyTlogProof } from '@imago/tlog'
import { isoTime } from '../http/operation-json.ts'
import type { AsideOperation, PlcStore, Withdrawal } from '../store/plc-store.ts'
import { decodeLogEntry } from '../transparency/log-entry.ts'
import { AuditAlarm } from './audit-alarm.ts'
import type { Seen } from './check-history.ts'
import type { DirectoryClient } from './directory-client.ts'
import { proofOf } from './replay-entries.ts'
import { dataTold, isSameJson, jsonOf, linesOf } from './told-json.ts'

/** Notices of the entries that an audit sees first, whose DIDs it asks for. */
const MAX_NEW_NOTICES = 200
/** Withdrawn operations of one DID that the export is asked for. */
const MAX_EXPORTED = 5

/** DIDs of the notices that came since the audit before, and of some older ones at random. */
export async function withdrawnDids(
  store: PlcStore,
  { seenSeq, samples, randomInt }: { seenSeq: number; samples: number; randomInt: (below: number) => number },
): Promise<readonly string[]> {
  const fresh = await store.withdrawalPage(seenSeq, MAX_NEW_NOTICES)
  const older = await store.withdrawalPage(randomInt(seenSeq + 1), samples)
  return [...fresh, ...older].map(({ did }) => did)
}

/**
 * Whether the API has stopped telling what the log says is withdrawn: in the history of its DID, as what holds now, and
 * in the export.
 * @throws {AuditAlarm} `StillServed`
 */
export async function checkWithdrawn(
  did: string,
  { client, store, latest }: { client: DirectoryClient; store: PlcStore; latest: Seen },
): Promise<void> {
  for (const withdrawal of await store.withdrawals(did)) {
    const isAmong = (lines: readonly { readonly cid?: unknown; readonly createdAt?: unknown }[]) =>
      withdrawal.operations.some(({ cid, createdAt }) =>
        lines.some((line) => line.cid === cid && line.createdAt === isoTime(createdAt)),
      )
    const audit = `${did}/log/audit`
    const history = await client.api(audit)
    if (isAmong(linesOf(history))) throw await stillServed(withdrawal, audit, history)

    const data = `${did}/data`
    const told = await client.api(data)
    if (told !== undefined && isOnlyOf(told, withdrawal.operations, await store.operations(did)))
      throw await stillServed(withdrawal, data, told)

    for (const { seq } of withdrawal.operations.slice(0, MAX_EXPORTED)) {
      const path = `export?after=${seq - 1}&count=1`
      const line = await client.api(path)
      if (isAmong([(jsonOf(line ?? '') as object | undefined) ?? {}]))
        throw await stillServed(withdrawal, path, line)
    }
  }

  async function stillServed({ seq, cid }: Withdrawal, path: string, answer: string | undefined) {
    return new AuditAlarm(
      'StillServed',
      `${path} tells operation ${cid} or what rests on it, which notice ${seq} withdrew`,
      {
        checkpoint: latest.text,
        proof: await proofOf(client, latest, await store.tree.indexOf(seq)),
        answers: { [path]: answer ?? '(not there)' },
      },
    )
  }
}

/** Data that a withdrawn operation said, and none that stands. */
function isOnlyOf(
  told: string,
  withdrawn: readonly AsideOperation[],
  standing: readonly { readonly did: string; readonly json: string }[],
): boolean {
  const isOf = ({ did, json }: { readonly did: string; readonly json: string }) =>
    isSameJson(told, dataTold(did, normalizeOperation(JSON.parse(json) as Operation)))
  return withdrawn.some(isOf) && !standing.some(isOf)
}

/**
 * Whether an operation of a DID was withdrawn after a checkpoint, as a later one proves.
 * @throws {DirectoryUnavailableError}
 */
export async function isWithdrawnSince(
  did: string,
  { client, latest, policy }: { client: DirectoryClient; latest: Seen; policy: TrustPolicy },
): Promise<boolean> {
  const notices = linesOf(await client.api(`${did}/log/withdrawn`))
  const seq = notices.at(-1)?.seq
  if (!Number.isSafeInteger(seq)) return false
  const proof = await client.api(`${did}/log/proof?seq=${seq}`)
  if (proof === undefined) return false
  try {
    const { extra, index } = parseTlogProof(proof)
    if (extra === undefined || index < latest.checkpoint.size) return false
    verifyTlogProof(proof, hashLeaf(extra), policy)
    const entry = decodeLogEntry(extra)
    return entry.kind === 'withdrawal' && entry.did === did
  } catch (error) {
    if (error instanceof TlogError || error instanceof TypeError) return false
    throw error
  }
}
