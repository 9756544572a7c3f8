import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { type ReferenceLayout, reservedKeys } from './reference-layout.ts'

interface Row {
  name: string
  signing_key: Uint8Array
}

/** Gives signing keys that wait for their accounts a file there, where the reference looks for them. */
export function returnReservedKeys(ours: DatabaseSync, layout: ReferenceLayout): void {
  const folder = reservedKeys(layout)
  for (const { name, signing_key } of ours
    .prepare('SELECT name, signing_key FROM reserved_key')
    .all() as unknown as Row[]) {
    const path = join(folder, name)
    if (existsSync(path)) continue
    mkdirSync(folder, { recursive: true })
    writeFileSync(path, signing_key, { flush: true })
  }
}
