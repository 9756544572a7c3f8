import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What a log has shown to the world, kept apart from its database: what must never be taken back. */
export interface PublishedFile {
  read(): Promise<string | undefined>
  /** Durable when it resolves. */
  write(note: string): Promise<void>
}

/** A file that holds one checkpoint whole: the old one or the new one, whatever happens in between. */
export function createPublishedFile(path: string): PublishedFile {
  return {
    async read() {
      try {
        return await readFile(path, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    async write(note) {
      const temporary = `${path}.new`
      await writeDurably(temporary, note)
      await rename(temporary, path)
      await syncFolder(dirname(path))
    },
  }
}

/** Of a log that is forgotten with its process. */
export function createPublishedMemory(): PublishedFile {
  let kept: string | undefined
  return {
    read: async () => kept,
    write: async (note) => {
      kept = note
    },
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
