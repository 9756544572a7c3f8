import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A little text that has to survive: the checkpoint that a log has shown, how far an alert was told. */
export interface DurableFile {
  read(): Promise<string | undefined>
  /** Durable when it resolves. */
  write(text: string): Promise<void>
}

/** A file that holds the old text or the new one, whatever happens in between. */
export function createDurableFile(path: string): DurableFile {
  return {
    async read() {
      try {
        return await readFile(path, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    async write(text) {
      const temporary = `${path}.new`
      await writeDurably(temporary, text)
      await rename(temporary, path)
      await syncFolder(dirname(path))
    },
  }
}

/** Forgotten with its process. */
export function createDurableMemory(): DurableFile {
  let kept: string | undefined
  return {
    read: async () => kept,
    write: async (text) => {
      kept = text
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

/** Makes names in a folder as durable as what they name. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
