import { mkdir, open, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from './folder-errors.ts'

const MAX_KNOWN = 20_000

/** Folders below a root whose entries survive a power cut. */
export interface FolderSync {
  /** Makes a folder and those above it; when it resolves, each is durable in the one above. */
  make(path: string): Promise<void>
  /** Forgets that a folder was there: somebody took it away. */
  forget(path: string): void
  /** Makes the entries of a folder durable. Calls that come while one is under way share the next. */
  sync(path: string): Promise<void>
  /** Removes the folder, and those above it, as far as they are empty; makes durable what is gone. */
  removeEmpty(path: string): Promise<void>
}

export function createFolderSync(root: string): FolderSync {
  // A folder that was found may be the work of somebody who has not synced its entry yet, and never will after a crash:
  // so each is synced once by this process as well.
  const made = new Map<string, Promise<void>>()
  const syncs = new Map<string, { running: Promise<void>; next: Promise<void> | undefined }>()

  function sync(path: string): Promise<void> {
    const current = syncs.get(path)
    if (current === undefined) {
      const entry = { running: syncNow(path), next: undefined as Promise<void> | undefined }
      syncs.set(path, entry)
      const end = () => {
        if (entry.next === undefined) syncs.delete(path)
      }
      entry.running.then(end, end)
      return entry.running
    }
    // The one under way may have looked at the folder before our entry was there.
    current.next ??= current.running
      .catch(() => {})
      .then(() => {
        syncs.delete(path)
        return sync(path)
      })
    return current.next
  }

  async function makeOnce(path: string): Promise<void> {
    const parent = dirname(path)
    if (path !== root) await make(parent)
    try {
      await mkdir(path)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
    await sync(parent)
  }

  function make(path: string): Promise<void> {
    if (path === root) return Promise.resolve()
    const known = made.get(path)
    if (known !== undefined) return known
    if (made.size >= MAX_KNOWN) made.clear()
    const making = makeOnce(path)
    made.set(path, making)
    making.catch(() => made.delete(path))
    return making
  }

  return {
    make,
    sync,
    forget(path) {
      for (let folder = path; folder !== root; folder = dirname(folder)) made.delete(folder)
    },
    async removeEmpty(path) {
      for (let folder = path; ; folder = dirname(folder)) {
        try {
          if (folder === root || !(await removeIfEmpty(folder))) return await sync(folder)
        } catch (error) {
          // Somebody else takes it away at the same time: go on with the one above.
          if (codeOf(error) !== 'ENOENT' || folder === root) throw error
        }
        made.delete(folder)
      }
    },
  }
}

async function removeIfEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path)
    return true
  } catch (error) {
    // Two names for a folder that holds something, and one for a folder that somebody is in.
    if (['ENOTEMPTY', 'EEXIST', 'EBUSY'].includes(codeOf(error) ?? '')) return false
    throw error
  }
}

async function syncNow(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
