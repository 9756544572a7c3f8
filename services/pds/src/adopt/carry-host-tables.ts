import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { type ReferenceLayout, reservedKeys } from './reference-layout.ts'
import { hasColumn, hasTable } from './reference-schema.ts'
import { timeFromReference } from './reference-times.ts'

/** What belongs to the host rather than to one account, by table, with the number of rows. */
export type CarriedTables = Readonly<Record<string, number>>

/** Tables that have no counterpart here yet: their rows come along whole. Columns that name a row. */
const KEPT_WHOLE: Readonly<Record<string, readonly string[]>> = {
  authorization_request: ['id'],
  device: ['id'],
  device_account: ['deviceId', 'did'],
  account_device: ['deviceId', 'did'],
  authorized_client: ['did', 'clientId'],
  token: ['id'],
  used_refresh_token: ['refreshToken'],
  lexicon: ['nsid'],
}

const KEY_BYTES = 32

/**
 * Carries invite codes, reserved keys and everything of OAuth, inside the caller's transaction. What is there already
 * stays: it may have changed since.
 * @param target `undefined` counts only.
 */
export function carryHostTables(
  source: DatabaseSync,
  layout: ReferenceLayout,
  target: DatabaseSync | undefined,
  nowMs: number,
): CarriedTables {
  return {
    ...carryInviteCodes(source, target),
    reserved_key: carryReservedKeys(layout, target, nowMs),
    ...carryWhole(source, target),
    pending_plc_operation: carryPlcOperations(layout, target, nowMs),
  }
}

function carryInviteCodes(source: DatabaseSync, target: DatabaseSync | undefined): CarriedTables {
  const codes = source.prepare('SELECT * FROM invite_code').all() as unknown as InviteCodeRow[]
  const uses = source.prepare('SELECT * FROM invite_code_use').all() as unknown as InviteCodeUseRow[]
  const insertCode = target?.prepare(
    `INSERT OR IGNORE INTO invite_code (code, available_uses, disabled, for_account, created_by, created_at)
      VALUES (?, ?, ?, ?, ?, ?)`,
  )
  const insertUse = target?.prepare(
    'INSERT OR IGNORE INTO invite_code_use (code, used_by, used_at) VALUES (?, ?, ?)',
  )
  for (const row of codes)
    insertCode?.run(
      row.code,
      row.availableUses,
      row.disabled ?? 0,
      row.forAccount,
      row.createdBy,
      timeFromReference(row.createdAt, 0),
    )
  for (const { code, usedBy, usedAt } of uses) insertUse?.run(code, usedBy, timeFromReference(usedAt, 0))
  return { invite_code: codes.length, invite_code_use: uses.length }
}

interface InviteCodeRow {
  code: string
  availableUses: number
  disabled: number | null
  forAccount: string
  createdBy: string
  createdAt: string
}

interface InviteCodeUseRow {
  code: string
  usedBy: string
  usedAt: string
}

function carryReservedKeys(layout: ReferenceLayout, target: DatabaseSync | undefined, nowMs: number): number {
  const insert = target?.prepare(
    'INSERT OR IGNORE INTO reserved_key (name, signing_key, reserved_at) VALUES (?, ?, ?)',
  )
  let count = 0
  for (const name of filesOf(reservedKeys(layout))) {
    const path = join(reservedKeys(layout), name)
    const key = readFileSync(path)
    if (key.length !== KEY_BYTES) continue
    // Their time begins anew: whoever it was kept for may be on the way.
    insert?.run(name, key, nowMs)
    count++
  }
  return count
}

function carryWhole(source: DatabaseSync, target: DatabaseSync | undefined): CarriedTables {
  const insert = target?.prepare('INSERT OR IGNORE INTO adopted (name, key, did, value) VALUES (?, ?, ?, ?)')
  const counts: Record<string, number> = {}
  for (const [table, keys] of Object.entries(KEPT_WHOLE)) {
    if (!hasTable(source, table)) continue
    counts[table] = 0
    const did = hasColumn(source, table, 'did')
    for (const row of source.prepare(`SELECT * FROM ${table}`).iterate()) {
      const key = keys.map((column) => row[column]).join(' ')
      insert?.run(table, key, did ? (row['did'] ?? null) : null, JSON.stringify(row))
      counts[table]!++
    }
  }
  return counts
}

/** Operations of accounts that were being made: kept until the account is there. */
function carryPlcOperations(
  layout: ReferenceLayout,
  target: DatabaseSync | undefined,
  nowMs: number,
): number {
  const insert = target?.prepare('INSERT OR IGNORE INTO adopted (name, key, did, value) VALUES (?, ?, ?, ?)')
  let count = 0
  for (const shard of filesOf(layout.actors)) {
    if (!/^[0-9a-f]{2}$/.test(shard)) continue
    for (const did of filesOf(join(layout.actors, shard))) {
      const path = join(layout.actors, shard, did, 'did-op')
      const stats = statSync(path, { throwIfNoEntry: false })
      if (stats === undefined) continue
      const value = { bytes: readFileSync(path).toString('base64'), at: nowMs }
      insert?.run('did-op', did, did, JSON.stringify(value))
      count++
    }
  }
  return count
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
