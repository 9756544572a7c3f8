import type { DidKey } from '@imago/crypto'
import { Cid } from '@imago/data'
import type { CheckNumber, Finding } from './checks.ts'
import { finding } from './checks.ts'
import type { FrameVerdict } from './judge-frame.ts'
import type { KnownAccount } from './verify-commit.ts'

// How frames go to a worker and verdicts come back: as one buffer of bytes, which changes hands without being copied, and
// one flat list of text and numbers. Objects with a prototype, such as CIDs, do not pass between threads; and every
// object, however plain, takes longer to pass than the whole message otherwise does.

/** A frame, and what its event is judged against: `CommitContext`, with the key as text. */
export interface FrameToJudge {
  /** A message of `subscribeRepos`, its header and body. Copied: it stays the caller's. */
  readonly frame: Uint8Array
  readonly account: KnownAccount | undefined
  readonly signingKey: DidKey | undefined
  readonly pdsHost?: string
  readonly senderHost?: string
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number
  /** Whether check 13 is made. Default: true. */
  readonly decodeRecords?: boolean
}

export interface Batch {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly fields: readonly Field[]
}
type Field = string | number | boolean | undefined

const CID_BYTES = 36

export function packFrames(items: readonly FrameToJudge[]): Batch {
  let size = 0
  for (const { frame } of items) size += frame.length + CID_BYTES
  const bytes = new Uint8Array(size)
  const fields: Field[] = []
  let at = 0
  for (const { frame, account, signingKey, pdsHost, senderHost, nowMs, decodeRecords } of items) {
    bytes.set(frame, at)
    account?.head?.data.writeTo(bytes, at + frame.length)
    at += frame.length + CID_BYTES
    fields.push(frame.length, account?.status, account?.head?.rev, signingKey)
    fields.push(pdsHost, senderHost, nowMs, decodeRecords)
  }
  return { bytes, fields }
}

export function unpackFrames({ bytes, fields }: Batch): FrameToJudge[] {
  const items: FrameToJudge[] = []
  const next = reader(fields)
  for (let at = 0; !next.done(); ) {
    const frame = bytes.subarray(at, (at += next.take<number>()))
    const status = next.take<string | undefined>()
    const rev = next.take<string | undefined>()
    const data = rev === undefined ? undefined : new Cid(bytes, at)
    at += CID_BYTES
    const signingKey = next.take<DidKey | undefined>()
    const pdsHost = next.take<string | undefined>()
    const senderHost = next.take<string | undefined>()
    const nowMs = next.take<number>()
    const decodeRecords = next.take<boolean | undefined>()
    items.push({
      frame,
      account: status === undefined ? undefined : { status, ...(data && { head: { data, rev: rev! } }) },
      signingKey,
      nowMs,
      ...(pdsHost !== undefined && { pdsHost }),
      ...(senderHost !== undefined && { senderHost }),
      ...(decodeRecords !== undefined && { decodeRecords }),
    })
  }
  return items
}

/** Two CIDs at most go with a verdict. */
const VERDICT_BYTES = 2 * CID_BYTES

export function packVerdicts(verdicts: readonly FrameVerdict[]): Batch {
  const bytes = new Uint8Array(verdicts.length * VERDICT_BYTES)
  const fields: Field[] = []
  for (const [i, verdict] of verdicts.entries()) {
    fields.push(verdict.outcome)
    if (verdict.accepted) {
      const { cid, state, genesis, findings } = verdict
      cid.writeTo(bytes, i * VERDICT_BYTES)
      state.data.writeTo(bytes, i * VERDICT_BYTES + CID_BYTES)
      fields.push(state.rev, genesis, findings.length)
      for (const { check, reason } of findings) fields.push(check, reason)
    } else if (verdict.outcome === 'malformed') fields.push(verdict.reason)
    else {
      verdict.missing?.writeTo(bytes, i * VERDICT_BYTES)
      fields.push(verdict.check, verdict.reason, verdict.missing !== undefined)
    }
  }
  return { bytes, fields }
}

export function unpackVerdicts({ bytes, fields }: Batch): FrameVerdict[] {
  const verdicts: FrameVerdict[] = []
  const next = reader(fields)
  const takeFinding = (): Finding => finding(next.take<CheckNumber>(), next.take<string>())
  for (let at = 0; !next.done(); at += VERDICT_BYTES) {
    const outcome = next.take<FrameVerdict['outcome']>()
    if (outcome === 'malformed') verdicts.push({ accepted: false, outcome, reason: next.take<string>() })
    else if (outcome === 'refused' || outcome === 'stale') {
      const refusal = { ...takeFinding(), accepted: false, outcome } as const
      verdicts.push(next.take<boolean>() ? { ...refusal, missing: new Cid(bytes, at) } : refusal)
    } else {
      const rev = next.take<string>()
      const genesis = next.take<boolean>()
      const findings = Array.from({ length: next.take<number>() }, takeFinding)
      const state = { data: new Cid(bytes, at + CID_BYTES), rev }
      verdicts.push({ accepted: true, outcome, findings, cid: new Cid(bytes, at), state, genesis })
    }
  }
  return verdicts
}

function reader(fields: readonly Field[]) {
  let at = 0
  return {
    done: () => at === fields.length,
    take: <T extends Field>() => fields[at++] as T,
  }
}
