import { createWriteStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { RAW_CODEC, tryParseCid } from '@imago/data'
import { type ListedObject, type ObjectStore, ObjectStoreError } from '@imago/object-store'
import { type Did, tryParseDid } from '@imago/syntax'
import type { BlobFile, BlobInventory } from './blob-inventory.ts'

/** The bucket of a server: `blocks/<did>/<cid>`. In one that does not tell when an object came, none counts as a stray. */
export function createObjectBlobInventory(objects: ObjectStore): BlobInventory {
  const folderOf = (did: Did) => `${ROOT}${did}/`
  return {
    async *accounts() {
      // Objects come in no promised order: each account is told once.
      const told = new Set<Did>()
      for await (const { key } of objects.list(ROOT)) {
        const did = ownerOf(key)
        if (did === undefined || told.has(did)) continue
        told.add(did)
        yield did
      }
    },
    async *files(did) {
      for await (const object of objects.list(folderOf(did))) yield fileOf(object)
    },
    async *others() {
      for await (const object of objects.list(ROOT))
        if (ownerOf(object.key) === undefined) yield fileOf(object)
    },
    async find(did, cid) {
      const key = `${folderOf(did)}${cid}`
      const found = await objects.head(key)
      return found && fileOf({ key, size: found.size })
    },
    async *read({ name }) {
      const found = await objects.get(name)
      if (found === undefined)
        throw new ObjectStoreError('NotFound', name, `${name} went away while it was being read`)
      yield* found.body
    },
    async take(file, path) {
      await mkdir(dirname(path), { recursive: true })
      await pipeline(this.read(file), createWriteStream(path, { flush: true }))
      const folder = await open(dirname(path), 'r')
      try {
        await folder.sync()
      } finally {
        await folder.close()
      }
      await objects.delete(file.name)
    },
  }
}

const ROOT = 'blocks/'

const ownerOf = (key: string) => tryParseDid(key.split('/')[1])

function fileOf({ key, size, modifiedAt }: ListedObject): BlobFile {
  const cid = tryParseCid(key.slice(key.lastIndexOf('/') + 1))
  return { name: key, cid: cid?.codec === RAW_CODEC ? cid : undefined, size, modifiedAt }
}
