import { assertKey, assertKeyPrefix } from './object-key.ts'
import type { ObjectBody, StagingStore } from './object-store.ts'
import { ObjectStoreError } from './object-store-error.ts'

/** A store for tests. */
export interface MemoryStore extends StagingStore {
  /** What is in it, for a test to look at and to spoil. */
  readonly objects: Map<string, Uint8Array>
}

/** Objects in memory: for tests, of small things. Nothing survives anything. */
export function createMemoryStore(): MemoryStore {
  const objects = new Map<string, Uint8Array>()
  return {
    objects,

    async put(key, body) {
      assertKey(key)
      const bytes = await collect(body)
      objects.set(key, bytes)
      return { size: bytes.length }
    },

    async stage(body) {
      const bytes = await collect(body)
      return {
        size: bytes.length,
        async keep(key) {
          assertKey(key)
          objects.set(key, bytes)
        },
        async [Symbol.asyncDispose]() {},
      }
    },

    async get(key, range) {
      assertKey(key)
      const bytes = objects.get(key)
      if (bytes === undefined) return undefined
      const { length: size } = bytes
      if (range === undefined) return { size, body: once(bytes) }
      const { first, last } = range
      if (first < 0 || first > last || last >= size)
        throw new ObjectStoreError(
          'InvalidRange',
          key,
          `bytes ${first} to ${last} do not lie within ${key}, which has ${size} bytes`,
        )
      return { size, body: once(bytes.subarray(first, last + 1)) }
    },

    async head(key) {
      assertKey(key)
      const bytes = objects.get(key)
      return bytes && { size: bytes.length }
    },

    async copy(from, to) {
      assertKey(from)
      assertKey(to)
      const bytes = objects.get(from)
      if (bytes === undefined)
        throw new ObjectStoreError('NotFound', from, `there is no object ${from} to copy`)
      objects.set(to, bytes)
    },

    async delete(key) {
      assertKey(key)
      objects.delete(key)
    },

    list(prefix) {
      assertKeyPrefix(prefix)
      return (async function* () {
        for (const [key, { length }] of [...objects]) if (key.startsWith(prefix)) yield { key, size: length }
      })()
    },

    sweep: async () => 0,
  }
}

async function collect(body: ObjectBody): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body.slice()
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return new Uint8Array(Buffer.concat(pieces))
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes.slice()
}
