import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FILE = 'tested.json'

interface Mark {
  readonly repository: string
  readonly backup: string
}

/**
 * The newest backup of a data directory whose test restore found nothing wrong.
 * @param folder the one beside the database.
 * @param repository its id: what was tried in one place says nothing of another.
 */
export function readTested(folder: string, repository: string): string | undefined {
  try {
    const mark = JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as Mark
    return mark.repository === repository ? mark.backup : undefined
  } catch {
    // None, or one that a crash cut off: then all is tried again.
    return undefined
  }
}

export function writeTested(folder: string, mark: Mark): void {
  writeFileSync(join(folder, FILE), JSON.stringify(mark))
}
