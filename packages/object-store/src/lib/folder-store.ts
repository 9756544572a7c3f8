import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import {
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  opendir,
  readdir,
  rename,
  rm,
  stat,
  unlink,
} from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { readFileBody } from './file-body.ts'
import { writeFileBody } from './file-writing.ts'
import { codeOf, guarded } from './folder-errors.ts'
import { createFolderSync } from './folder-sync.ts'
import { assertKey, assertKeyPrefix } from './object-key.ts'
import type { ByteRange, ListedObject, ObjectBody, StagedObject, StagingStore } from './object-store.ts'
import { ObjectStoreError } from './object-store-error.ts'

export interface FolderStoreOptions {
  /** Made if absent. */
  readonly folder: string
}

/** No segment of a key begins with a dot. */
const TEMPORARY = '.tmp'
const RENAME_ATTEMPTS = 5

/**
 * Objects as files, each under its key: temporary file, fsync, rename, fsync of every folder that has a new entry.
 * A key cannot be the folder of another (`a` and `a/b`). Several processes may use one folder.
 */
export async function openFolderStore(options: FolderStoreOptions): Promise<StagingStore> {
  const folder = resolve(options.folder)
  const temporaryFolder = join(folder, TEMPORARY)
  const folders = createFolderSync(folder)
  await guarded(folder, async () => {
    const first = await mkdir(temporaryFolder, { recursive: true })
    if (first === undefined) return
    for (let path = temporaryFolder; path !== dirname(first); path = dirname(path))
      await folders.sync(dirname(path))
  })
  const fileOf = (key: string) => {
    assertKey(key)
    return sep === '/' ? `${folder}/${key}` : join(folder, ...key.split('/'))
  }
  const temporaryFile = () => join(temporaryFolder, randomUUID())

  /** Gives a durable file its final name. Whoever deletes may take the folder away in between, if it is empty. */
  async function moveInto(path: string, key: string): Promise<void> {
    const target = fileOf(key)
    const parent = dirname(target)
    for (let attempt = 1; ; attempt++) {
      try {
        await folders.make(parent)
        await rename(path, target)
        break
      } catch (error) {
        if (codeOf(error) !== 'ENOENT' || attempt === RENAME_ATTEMPTS) throw error
        folders.forget(parent)
      }
    }
    await folders.sync(parent)
  }

  /** A body in a temporary file, durable but for its name. */
  async function stage(
    what: string,
    body: ObjectBody,
    mayFree: boolean,
  ): Promise<{ path: string; size: number }> {
    const path = temporaryFile()
    const file = await guarded(what, () => open(path, 'wx'))
    try {
      const size = await writeFileBody(file, body, what, mayFree)
      await guarded(what, () => file.sync())
      await guarded(what, () => file.close())
      return { path, size }
    } catch (error) {
      await file.close().catch(() => {})
      await rm(path, { force: true })
      throw error
    }
  }

  async function* walk(relative: string, startsWith: string): AsyncGenerator<ListedObject> {
    for await (const entry of entriesOf(join(folder, relative))) {
      if (entry.name.startsWith('.') || !entry.name.startsWith(startsWith)) continue
      const key = `${relative}${entry.name}`
      if (entry.isDirectory()) yield* walk(`${key}/`, '')
      else {
        const found = await fileAt(join(folder, key))
        if (found !== undefined) yield { key, size: found.size, modifiedAt: found.mtimeMs }
      }
    }
  }

  return {
    async put(key, body) {
      assertKey(key)
      const { path, size } = await stage(key, body, false)
      try {
        await guarded(key, () => moveInto(path, key))
      } catch (error) {
        await rm(path, { force: true })
        throw error
      }
      return { size }
    },

    async stage(body): Promise<StagedObject> {
      const { path, size } = await stage('a new object', body, true)
      return {
        size,
        async keep(key) {
          assertKey(key)
          await guarded(key, () => moveInto(path, key))
        },
        // After `keep` there is nothing under this name.
        [Symbol.asyncDispose]: () => rm(path, { force: true }),
      }
    },

    async get(key, range) {
      const path = fileOf(key)
      let file: FileHandle
      try {
        file = await open(path, 'r')
      } catch (error) {
        if (isAbsence(error)) return undefined
        return guarded(key, () => Promise.reject(error))
      }
      try {
        const found = await file.stat()
        if (!found.isFile()) {
          await file.close()
          return undefined
        }
        const { size } = found
        if (range !== undefined) assertRange(key, range, size)
        const { first, last } = range ?? { first: 0, last: size - 1 }
        return { size, body: readFileBody(file, key, first, last) }
      } catch (error) {
        await file.close()
        throw error
      }
    },

    async head(key) {
      const path = fileOf(key)
      const size = await guarded(key, () => sizeOf(path))
      return size === undefined ? undefined : { size }
    },

    async copy(from, to) {
      const source = fileOf(from)
      fileOf(to)
      const path = temporaryFile()
      try {
        await guarded(to, () => linkOrCopy(source, path))
        await guarded(to, () => moveInto(path, to))
      } catch (error) {
        if ((await sizeOf(source)) !== undefined) throw error
        throw new ObjectStoreError('NotFound', from, `there is no object ${from} to copy`, { cause: error })
      } finally {
        // Renaming one name of a file to another name of the same file does nothing.
        await rm(path, { force: true })
      }
    },

    async delete(key) {
      const path = fileOf(key)
      try {
        await unlink(path)
      } catch (error) {
        // Where it is gone, whoever removed it may have been killed before that was durable, or before its folder went.
        if (codeOf(error) !== 'ENOENT') {
          if (isAbsence(error)) return
          await guarded(key, () => Promise.reject(error))
        }
      }
      await guarded(key, () => folders.removeEmpty(dirname(path)))
    },

    list(prefix) {
      assertKeyPrefix(prefix)
      const end = prefix.lastIndexOf('/') + 1
      return walk(prefix.slice(0, end), prefix.slice(end))
    },

    async sweep(before) {
      let removed = 0
      for (const name of await guarded(TEMPORARY, () => readdir(temporaryFolder))) {
        const path = join(temporaryFolder, name)
        const found = await stat(path).catch(() => undefined)
        if (found === undefined || found.mtimeMs >= before) continue
        await rm(path, { force: true })
        removed++
      }
      return removed
    },
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    // Not every file system has hard links, or as many as one likes.
    if (!['EPERM', 'EMLINK', 'ENOTSUP', 'ENOSYS'].includes(codeOf(error) ?? '')) throw error
    await copyFile(from, to)
    const file = await open(to, 'r+')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  }
}

async function* entriesOf(path: string) {
  try {
    yield* await opendir(path)
  } catch (error) {
    if (!isAbsence(error)) throw error
  }
}

/** Bytes; `undefined` where there is no file. */
const sizeOf = async (path: string) => (await fileAt(path))?.size

async function fileAt(path: string): Promise<Stats | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? found : undefined
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

/** Nothing lies at the path; or the file that would have to be its folder does; or it is the folder of other objects. */
function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error) ?? '')
}

function assertRange(key: string, { first, last }: ByteRange, size: number): void {
  if (first < 0 || first > last || last >= size)
    throw new ObjectStoreError(
      'InvalidRange',
      key,
      `bytes ${first} to ${last} do not lie within ${key}, which has ${size} bytes`,
    )
}
