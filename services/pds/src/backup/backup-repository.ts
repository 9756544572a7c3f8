import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { type Cid, concatBytes } from '@imago/data'
import type { StagingStore } from '@imago/object-store'
import { BackupError } from './backup-error.ts'
import { type BackupSecret, createHeader, HEADER_KEY, type KdfCost, openHeader } from './backup-header.ts'
import { deriveBackupKeys } from './backup-keys.ts'
import { type Lease, type LeaseHolder, type LeaseKind, takeLease } from './lease.ts'
import { MANIFESTS, type Manifest, manifestKey, parseManifest, timeOfManifest } from './manifest.ts'
import { collect, damaged, open, SALT_BYTES, seal } from './sealed-object.ts'

export const CHUNKS = 'chunks/'
export const BLOBS = 'blobs/'

const STORED = 0
const ZSTD = 1
/** No chunk is larger: a length that claims more is a lie. */
const MAX_CHUNK_BYTES = 4 * 1024 * 1024
const FOUNDING_ATTEMPTS = 5
/** No write takes so long. */
const UNFINISHED_MS = 24 * 3_600_000

/** A backup that is there. */
export interface BackupEntry {
  readonly key: string
  /** Milliseconds since the Unix epoch. Where the clock was set back between two of them, a little after the one before. */
  readonly createdAt: number
}

export interface BackupRepository {
  readonly id: string
  readonly protection: BackupSecret['kind']
  /** Where a chunk with these bytes lies, whether it is there or not. */
  chunkKey(content: Uint8Array): string
  blobKey(cid: Cid): string
  /** @returns bytes that went out. */
  putChunk(key: string, content: Uint8Array): Promise<number>
  /** @throws {BackupError} `Missing`, `Damaged` */
  getChunk(key: string): Promise<Uint8Array>
  /** @returns bytes that went out. */
  putBlob(key: string, body: AsyncIterable<Uint8Array>): Promise<number>
  /** @throws {BackupError} `Missing`, and while it is read, `Damaged`. */
  getBlob(key: string): Promise<AsyncIterable<Uint8Array>>
  /** Oldest first. */
  backups(): Promise<BackupEntry[]>
  /** @throws {BackupError} `Missing`, `Damaged`, `TooNew` */
  readManifest(key: string): Promise<Manifest>
  /**
   * From here on the backup exists.
   * @param at the time by which it takes its place among the others.
   */
  writeManifest(manifest: Manifest, at: number): Promise<BackupEntry>
  /** Keys of chunks and blobs that are there. */
  objects(): Promise<Set<string>>
  remove(key: string): Promise<void>
  /** Removes what writes that never ended left behind. */
  removeUnfinished(): Promise<void>
  /** `undefined` while somebody else is in the way. */
  takeLease(kind: LeaseKind): Promise<Lease | undefined>
}

export interface BackupRepositoryPorts {
  readonly store: StagingStore
  readonly secret: BackupSecret
  readonly randomBytes: (length: number) => Uint8Array
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly holder: LeaseHolder
  /** Whether a process of this machine lives. */
  readonly isAlive: (pid: number) => boolean
  /** What the passphrase of a new repository costs. Default: {@link DEFAULT_KDF_COST}. */
  readonly kdfCost?: KdfCost
}

/**
 * Opens the repository in a store.
 * @throws {BackupError} `NotARepository`, `TooNew`, `WrongKey`, `Damaged`
 */
export async function openBackupRepository(ports: BackupRepositoryPorts): Promise<BackupRepository> {
  const header = await ports.store.get(HEADER_KEY)
  if (header === undefined)
    throw new BackupError('NotARepository', `there are no backups here: no ${HEADER_KEY} was found`)
  const text = new TextDecoder().decode(await collect(header.body))
  return repositoryOf(ports, await openHeader(text, ports.secret))
}

/**
 * Opens the repository, or founds it where there is none.
 * @throws {BackupError} as {@link openBackupRepository} does; `Busy` when others are founding it all the time.
 */
export async function openOrCreateBackupRepository(ports: BackupRepositoryPorts): Promise<BackupRepository> {
  const { store, secret, randomBytes, kdfCost } = ports
  for (let attempt = 1; attempt <= FOUNDING_ATTEMPTS; attempt++) {
    if ((await store.head(HEADER_KEY)) !== undefined) return openBackupRepository(ports)
    // Two that found at once would each encrypt with a key that the other does not know.
    await using lease = await takeLease({ ...ports, randomId: () => randomBytes(8).toHex() }, 'alone')
    if (lease === undefined || (await store.head(HEADER_KEY)) !== undefined) continue
    const { opened, text } = await createHeader(secret, randomBytes, kdfCost)
    await store.put(HEADER_KEY, new TextEncoder().encode(text))
    return repositoryOf(ports, opened)
  }
  throw new BackupError('Busy', 'another first backup is being made here: try again in a few minutes')
}

function repositoryOf(
  ports: BackupRepositoryPorts,
  header: { id: string; protection: BackupSecret['kind']; dataKey: Uint8Array },
): BackupRepository {
  const { store, randomBytes } = ports
  const keys = deriveBackupKeys(header.dataKey)

  async function put(key: string, body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
    const { size } = await store.put(key, seal(keys, key, body, randomBytes(SALT_BYTES)))
    return size
  }

  async function get(key: string): Promise<AsyncIterable<Uint8Array>> {
    const object = await store.get(key)
    if (object === undefined)
      throw new BackupError(
        'Missing',
        `${key} is not in the repository, and the backup names it: restore another backup`,
        { key },
      )
    return open(keys, key, object.body)
  }

  const chunkKey = (content: Uint8Array) => placeOf(CHUNKS, keys.nameOf('chunk', content))

  return {
    id: header.id,
    protection: header.protection,
    chunkKey,
    blobKey: (cid) => placeOf(BLOBS, keys.nameOf('blob', cid.bytes)),
    putChunk: (key, content) => put(key, [pack(content)]),
    async getChunk(key) {
      const content = unpack(await collect(await get(key)), key)
      if (chunkKey(content) !== key) throw damaged(key)
      return content
    },
    putBlob: put,
    getBlob: get,

    async backups() {
      const found: BackupEntry[] = []
      for await (const { key } of store.list(MANIFESTS)) {
        const createdAt = timeOfManifest(key)
        if (createdAt !== undefined) found.push({ key, createdAt })
      }
      return found.sort((a, b) => (a.key < b.key ? -1 : 1))
    },
    async readManifest(key) {
      return parseManifest(new TextDecoder().decode(await collect(await get(key))), key)
    },
    async writeManifest(manifest, at) {
      const key = manifestKey(at, randomBytes(4).toHex())
      await put(key, [new TextEncoder().encode(JSON.stringify(manifest))])
      return { key, createdAt: at }
    },
    async objects() {
      const found = new Set<string>()
      for (const prefix of [CHUNKS, BLOBS]) for await (const { key } of store.list(prefix)) found.add(key)
      return found
    },
    remove: (key) => store.delete(key),
    async removeUnfinished() {
      await store.sweep(ports.now() - UNFINISHED_MS)
    },
    takeLease: (kind) => takeLease({ ...ports, randomId: () => randomBytes(8).toHex() }, kind),
  }
}

/** Two levels, so that no folder holds too many. */
export function placeOf(prefix: string, name: Uint8Array): string {
  const hex = name.toHex()
  return `${prefix}${hex.slice(0, 2)}/${hex}`
}

/** Compressed where that helps; the first byte says so. */
function pack(content: Uint8Array): Uint8Array {
  const compressed = zstdCompressSync(content)
  const [method, body] = compressed.length < content.length ? [ZSTD, compressed] : [STORED, content]
  return concatBytes([Uint8Array.of(method), body])
}

function unpack(packed: Uint8Array, key: string): Uint8Array {
  const body = packed.subarray(1)
  if (packed[0] === STORED) return body
  if (packed[0] !== ZSTD) throw damaged(key)
  try {
    return zstdDecompressSync(body, { maxOutputLength: MAX_CHUNK_BYTES })
  } catch (error) {
    throw damaged(key, error)
  }
}
