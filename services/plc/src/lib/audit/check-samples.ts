import { normalizeOperation, type Operation } from '@imago/identity/plc'
import type { TrustPolicy } from '@imago/tlog'
import { isoTime } from '../http/operation-json.ts'
import type { PlcStore, StoredOperation } from '../store/plc-store.ts'
import { AuditAlarm } from './audit-alarm.ts'
import type { Seen } from './check-history.ts'
import { checkWithdrawn, isWithdrawnSince, withdrawnDids } from './check-withdrawn.ts'
import type { DirectoryClient } from './directory-client.ts'
import { proofOf } from './replay-entries.ts'
import { dataTold, isSameJson, jsonOf, linesOf } from './told-json.ts'

const EXPORT_LINES = 50

/**
 * Holds what the API tells against what the log says: for DIDs at random, and a stretch of the export at random.
 * What was withdrawn is held against it in any case. What came after the checkpoint may be in the answers: a withdrawal
 * that did has to be proven by the log.
 * @returns the DIDs.
 * @throws {AuditAlarm} `Disagreement`, `StillServed`
 */
export async function checkSamples(options: {
  readonly client: DirectoryClient
  readonly store: PlcStore
  readonly latest: Seen
  readonly policy: TrustPolicy
  /** Number of the last operation or notice that the audit before has judged. */
  readonly seenSeq: number
  readonly samples: number
  readonly randomInt: (below: number) => number
}): Promise<readonly string[]> {
  const { client, store, latest, samples, randomInt } = options
  const { size } = latest.checkpoint
  if (size === 0 || samples === 0) return []
  const dids = new Set<string>()
  for (let i = 0; i < samples; i++) {
    const [entry] = await store.tree.entries(randomInt(size), 1)
    dids.add(entry!.did)
  }
  for (const did of await withdrawnDids(store, options)) dids.add(did)
  for (const did of dids) {
    await checkWithdrawn(did, options)
    await checkDid(did)
  }
  await checkExport(randomInt(size))
  return [...dids]

  async function checkDid(did: string): Promise<void> {
    const ours = await store.operations(did)
    const answers: Record<string, string> = {}
    const ask = async (path: string) => {
      const answer = await client.api(path)
      answers[path] = answer ?? '(not there)'
      return answer
    }
    const told = linesOf(await ask(`${did}/log/audit`))
    for (const [i, operation] of ours.entries()) {
      const line = told[i]
      if (line?.cid !== operation.cid || line.createdAt !== isoTime(operation.createdAt)) {
        if (await isWithdrawnSince(did, options)) return
        throw await disagreement(
          operation,
          `operation ${i} of ${did} is told as another than the log holds`,
          answers,
        )
      }
    }
    // With later operations in it, the answer may have undone what still holds at the checkpoint.
    if (told.length !== ours.length) return
    for (const [i, operation] of ours.entries())
      if (told[i]!.nullified !== operation.nullified)
        throw await disagreement(
          operation,
          `operation ${i} of ${did} is ${operation.nullified ? '' : 'not '}undone by the log, and the API tells otherwise`,
          answers,
        )
    await checkData(did, ours, ask, answers)
  }

  async function checkData(
    did: string,
    ours: readonly StoredOperation[],
    ask: (path: string) => Promise<string | undefined>,
    answers: Record<string, string>,
  ): Promise<void> {
    const head = ours.findLast(({ nullified }) => !nullified)
    if (head === undefined) return
    const data = normalizeOperation(JSON.parse(head.json) as Operation)
    const told = await ask(`${did}/data`)
    if (isSameJson(told, dataTold(did, data))) return
    // Somebody may have changed it in between.
    const last = linesOf(await ask(`${did}/log/audit`))
    if (last.length > ours.length) return
    throw await disagreement(
      head,
      `the data of ${did} are not those of its last operation in the log`,
      answers,
    )
  }

  async function checkExport(index: number): Promise<void> {
    const ours = await store.page({ seq: (await seqAt(index)) - 1 }, EXPORT_LINES)
    if (ours.length === 0) return
    const path = `export?after=${ours[0]!.seq - 1}&count=${ours.length}`
    const answer = (await client.api(path)) ?? ''
    const told = answer === '' ? [] : answer.split('\n').map(jsonOf)
    for (const [i, operation] of ours.entries()) {
      const line = told[i] as { did?: unknown; cid?: unknown; seq?: unknown; createdAt?: unknown } | undefined
      const isSame =
        line?.did === operation.did &&
        line.cid === operation.cid &&
        line.seq === operation.seq &&
        line.createdAt === isoTime(operation.createdAt)
      if (isSame) continue
      if (await isWithdrawnSince(operation.did, options)) return
      throw await disagreement(
        operation,
        `the export tells another operation ${operation.seq} than the log holds`,
        { [path]: answer },
      )
    }
  }

  async function seqAt(index: number): Promise<number> {
    const [entry] = await store.tree.entries(index, 1)
    return entry!.upstreamSeq ?? index + 1
  }

  async function disagreement(operation: StoredOperation, message: string, answers: Record<string, string>) {
    return new AuditAlarm('Disagreement', message, {
      checkpoint: latest.text,
      proof: await proofOf(client, latest, await store.tree.indexOf(operation.seq)),
      answers,
    })
  }
}
