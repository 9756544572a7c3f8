import type { StoredOperation } from '../store/plc-store.ts'

export const isoTime = (ms: number) => new Date(ms).toISOString()

/** One entry of an audit log, which is one line of the export by date. The operation is spliced in as it is stored. */
export function auditEntry({ did, json, cid, nullified, createdAt }: StoredOperation): string {
  return `{"did":"${did}","operation":${json},"cid":"${cid}","nullified":${nullified},"createdAt":"${isoTime(createdAt)}"}`
}

/** One line of the export by sequence, and one frame of the stream. Whether it is undone shows in what follows. */
export function sequencedEntry({ did, json, cid, createdAt, seq }: StoredOperation): string {
  return `{"type":"sequenced_op","did":"${did}","operation":${json},"cid":"${cid}","createdAt":"${isoTime(createdAt)}","seq":${seq}}`
}
