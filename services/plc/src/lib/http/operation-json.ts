import type { AsideOperation, StoredOperation, Withdrawal } from '../store/plc-store.ts'

export const isoTime = (ms: number) => new Date(ms).toISOString()

/** One entry of an audit log, which is one line of the export by date. The operation is spliced in as it is stored. */
export function auditEntry({ did, json, cid, nullified, createdAt }: StoredOperation): string {
  return `{"did":"${did}","operation":${json},"cid":"${cid}","nullified":${nullified},"createdAt":"${isoTime(createdAt)}"}`
}

/** One line of the export by sequence, and one frame of the stream. Whether it is undone shows in what follows. */
export function sequencedEntry({ did, json, cid, createdAt, seq }: StoredOperation): string {
  return `{"type":"sequenced_op","did":"${did}","operation":${json},"cid":"${cid}","createdAt":"${isoTime(createdAt)}","seq":${seq}}`
}

/** A notice, with what was withdrawn by it: for whoever asks for it, in the same places. */
export function withdrawalEntry({ did, cid, reason, createdAt, seq, operations }: Withdrawal): string {
  const withdrawn = operations.map(asideEntry).join(',')
  return `{"type":"withdrawal","did":"${did}","cid":"${cid}","reason":${JSON.stringify(reason)},"createdAt":"${isoTime(createdAt)}","seq":${seq},"operations":[${withdrawn}]}`
}

function asideEntry({ json, cid, nullified, createdAt, seq, rule }: AsideOperation): string {
  return `{"operation":${json},"cid":"${cid}","nullified":${nullified},"createdAt":"${isoTime(createdAt)}","seq":${seq},"rule":"${rule}"}`
}
