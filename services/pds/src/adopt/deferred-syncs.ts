import { syncPath } from './carry-blob-files.ts'

/** Files and folders that must reach the disk before the rows about them do: together, since the first pays for all. */
export interface DeferredSyncs {
  add(path: string): void
  /** Waits until all of them are on disk. */
  run(): void
}

export function createDeferredSyncs(): DeferredSyncs {
  const paths = new Set<string>()
  return {
    add: (path) => void paths.add(path),
    run() {
      for (const path of paths) syncPath(path)
      paths.clear()
    },
  }
}
