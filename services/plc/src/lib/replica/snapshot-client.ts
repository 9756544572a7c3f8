import { fromBase64 } from '@imago/data/multibase'
import { parseCheckpoint, type SignedCheckpoint, type Tile, tilePath } from '@imago/tlog'
import { readBody } from './read-body.ts'

const TIMEOUT_MS = 60_000
/** Ten thousand bundles, which is six times the public directory. */
const MAX_LIST_BYTES = 4 * 1024 * 1024
const MAX_TILE_BYTES = 64 * 1024

/** The connection broke, or nobody answered: says nothing about what was sent. */
export class UpstreamLostError extends Error {
  override readonly name = 'UpstreamLostError'
}

/** What was sent is not what it should be: nothing more is taken of this snapshot. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
}

/** A bundle as the upstream announces it. Nothing of it is known to be true. */
export interface AnnouncedBundle {
  readonly firstSeq: number
  readonly lastSeq: number
  readonly count: number
  readonly bytes: number
  readonly root: Uint8Array
}

export interface AnnouncedSnapshot {
  /** Whose signatures nobody has looked at. */
  readonly checkpoint: SignedCheckpoint
  readonly bundles: readonly AnnouncedBundle[]
}

/** What a replica asks its upstream for to begin with. Rejects with {@link UpstreamLostError} or {@link SnapshotError}. */
export interface SnapshotClient {
  /** What the upstream offers now; `undefined` where it offers nothing. */
  announced(signal: AbortSignal): Promise<AnnouncedSnapshot | undefined>
  tile(tile: Tile, signal: AbortSignal): Promise<Uint8Array>
  /** The bytes of a bundle as they come: no faster than they are taken. */
  bundle(index: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
}

/** @param fetch goes where the operator said. */
export function createSnapshotClient(address: string, fetch: typeof globalThis.fetch): SnapshotClient {
  const url = address.replace(/\/$/, '')

  async function get(path: string, signal: AbortSignal): Promise<Response> {
    return await connected(`${url}${path}`, () => fetch(`${url}${path}`, { signal }))
  }

  async function found(path: string, signal: AbortSignal): Promise<Response> {
    const response = await get(path, signal)
    if (response.ok) return response
    await response.body?.cancel()
    throw new UpstreamLostError(`${url}${path} answered ${response.status}`)
  }

  const soon = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  return {
    async announced(signal) {
      const response = await get('/snapshot', soon(signal))
      const isJson = /^application\/json\b/.test(response.headers.get('content-type') ?? '')
      if (!response.ok || !isJson) {
        await response.body?.cancel()
        return undefined
      }
      const from = `${url}/snapshot`
      return parseAnnounced(from, await connected(from, () => readBody(response, from, MAX_LIST_BYTES)))
    },
    async tile(tile, signal) {
      const path = `/log/${tilePath(tile)}`
      const response = await found(path, soon(signal))
      return await connected(`${url}${path}`, () => readBody(response, `${url}${path}`, MAX_TILE_BYTES))
    },
    async bundle(index, signal) {
      const path = `/snapshot/${index}`
      const { body } = await found(path, signal)
      return (async function* () {
        try {
          yield* body ?? []
        } catch (error) {
          throw lost(`${url}${path}`, error)
        }
      })()
    },
  }
}

async function connected<T>(from: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw lost(from, error)
  }
}

const lost = (from: string, error: unknown) =>
  error instanceof RangeError
    ? new SnapshotError(error.message, { cause: error })
    : new UpstreamLostError(`${from} was lost: ${(error as Error).message}`, { cause: error })

function parseAnnounced(from: string, bytes: Buffer): AnnouncedSnapshot {
  try {
    const { checkpoint, bundles } = JSON.parse(bytes.toString()) as Record<string, unknown>
    if (typeof checkpoint !== 'string') throw new TypeError('it has no checkpoint')
    if (!Array.isArray(bundles)) throw new TypeError('it has no list of bundles')
    return { checkpoint: parseCheckpoint(checkpoint), bundles: bundles.map(bundleOf) }
  } catch (error) {
    throw new SnapshotError(`${from} is not a list of bundles: ${(error as Error).message}`, { cause: error })
  }
}

function bundleOf(json: Record<string, unknown> | null, index: number): AnnouncedBundle {
  const { firstSeq, lastSeq, count, bytes, root } = json ?? {}
  const numbers = [firstSeq, lastSeq, count, bytes]
  if (!numbers.every((number) => Number.isSafeInteger(number) && (number as number) > 0))
    throw new TypeError(`bundle ${index} lacks firstSeq, lastSeq, count or bytes`)
  if (typeof root !== 'string') throw new TypeError(`bundle ${index} has no root`)
  return {
    firstSeq: firstSeq as number,
    lastSeq: lastSeq as number,
    count: count as number,
    bytes: bytes as number,
    root: fromBase64(root),
  }
}
