import { bundlePath, type EntryBundle, type Tile, tilePath } from '@imago/tlog'

const TIMEOUT_MS = 30_000
/** A bundle of 256 entries of the greatest length is the longest answer that can be asked for. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** Nobody answered, or not with what was asked for: says nothing about the directory's honesty. */
export class DirectoryUnavailableError extends Error {
  override readonly name = 'DirectoryUnavailableError'
}

/** What an auditor asks a directory for. Everything rejects with {@link DirectoryUnavailableError}. */
export interface DirectoryClient {
  readonly url: string
  checkpoint(): Promise<string>
  tile(tile: Tile): Promise<Uint8Array>
  bundle(bundle: EntryBundle): Promise<Uint8Array>
  /** Text of an answer by its path; `undefined` for 404 and 410. */
  api(path: string): Promise<string | undefined>
}

/**
 * @param url of the directory; its log is at `/log`.
 * @param fetch goes where the operator said.
 */
export function createDirectoryClient(url: string, fetch: typeof globalThis.fetch): DirectoryClient {
  const base = url.replace(/\/$/, '')

  async function get(path: string): Promise<Response> {
    try {
      return await fetch(`${base}/${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' })
    } catch (error) {
      throw new DirectoryUnavailableError(`${base}/${path} did not answer: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }

  async function bytesOf(response: Response, path: string): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    let length = 0
    try {
      for await (const part of response.body ?? []) {
        length += part.length
        if (length > MAX_ANSWER_BYTES) throw new Error(`the answer exceeds ${MAX_ANSWER_BYTES} bytes`)
        parts.push(part)
      }
    } catch (error) {
      throw new DirectoryUnavailableError(`${base}/${path} broke off: ${(error as Error).message}`, {
        cause: error,
      })
    }
    return new Uint8Array(Buffer.concat(parts))
  }

  async function found(path: string): Promise<Uint8Array> {
    const response = await get(path)
    if (response.ok) return await bytesOf(response, path)
    await response.body?.cancel()
    throw new DirectoryUnavailableError(`${base}/${path} answered ${response.status}`)
  }

  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
  return {
    url: base,
    checkpoint: async () => text(await found('log/checkpoint')),
    tile: (tile) => found(`log/${tilePath(tile)}`),
    bundle: (bundle) => found(`log/${bundlePath(bundle)}`),
    async api(path) {
      const response = await get(path)
      if (response.ok) return text(await bytesOf(response, path))
      await response.body?.cancel()
      if (response.status === 404 || response.status === 410) return undefined
      throw new DirectoryUnavailableError(`${base}/${path} answered ${response.status}`)
    },
  }
}
