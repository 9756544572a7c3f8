import type { PlcErrorCode } from '@imago/identity/plc'
import type { AsideOperation } from './plc-store.ts'

/** A row of the table of operations that were set aside. */
export interface AsideRow {
  readonly seq: number
  readonly did: string
  readonly cid: string
  readonly json: string
  readonly nullified: boolean
  readonly created_at: number
  readonly rule: string
  readonly fault: string
  readonly notice: number | null
}

export const asideOfRow = ({
  seq,
  did,
  cid,
  json,
  nullified,
  created_at,
  rule,
  fault,
}: AsideRow): AsideOperation => ({
  seq,
  did,
  cid,
  json,
  nullified,
  createdAt: created_at,
  rule: rule as PlcErrorCode,
  fault,
})
