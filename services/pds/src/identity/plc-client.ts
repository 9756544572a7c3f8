import type { LegacyCreate, PlcData, PlcOperation, PlcTombstone } from '@imago/identity/plc'
import type { Did } from '@imago/syntax'

/** Writes to the PLC directory. */
export interface PlcClient {
  /**
   * Submits an operation. Resolves when the directory has accepted it.
   * @throws {PlcClientError} when the directory refused it, or could not be reached.
   */
  submit(did: Did, operation: PlcOperation | PlcTombstone): Promise<void>
  /**
   * What the directory says of a DID now.
   * @throws {PlcClientError} when it knows no such DID, or could not be reached.
   */
  data(did: Did): Promise<PlcData>
  /**
   * Every key that operations of a DID ever named as the one of its repository, nullified ones included.
   * @throws {PlcClientError} when the directory knows no such DID, or could not be reached.
   */
  signingKeys(did: Did): Promise<readonly string[]>
}

/** The directory did not take an operation. */
export class PlcClientError extends Error {
  /** HTTP status of the refusal; `undefined` when no answer came, so that the operation may have been taken or not. */
  readonly status: number | undefined

  constructor(message: string, status: number | undefined, cause?: unknown) {
    super(message, { cause })
    this.name = 'PlcClientError'
    this.status = status
  }
}

const TIMEOUT_MS = 10_000

export function createPlcClient(options: { url: string; fetch: typeof fetch }): PlcClient {
  const base = options.url.replace(/\/$/, '')

  async function call(path: string, init: RequestInit): Promise<string> {
    let response: Response
    try {
      response = await options.fetch(`${base}/${path}`, {
        ...init,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
    } catch (cause) {
      throw new PlcClientError(`the PLC directory at ${base} did not answer`, undefined, cause)
    }
    const text = await response.text().catch(() => '')
    if (!response.ok)
      throw new PlcClientError(
        `the PLC directory answered ${response.status}: ${text.slice(0, 200)}`,
        response.status,
      )
    return text
  }

  async function read<T>(path: string): Promise<T> {
    const text = await call(path, {})
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw new PlcClientError(
        `what the PLC directory at ${base} says at /${path} is not JSON`,
        undefined,
        cause,
      )
    }
  }

  return {
    async submit(did, operation) {
      await call(did, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(operation),
      })
    },

    data: (did) => read<PlcData>(`${did}/data`),

    async signingKeys(did) {
      const log = await read<{ operation: NamesKey }[]>(`${did}/log/audit`)
      return log.flatMap(
        ({ operation }) => operation.verificationMethods?.['atproto'] ?? operation.signingKey ?? [],
      )
    },
  }
}

/** Operations of today name the key one way, and those of the first months the other. */
type NamesKey = Partial<Pick<PlcOperation, 'verificationMethods'> & Pick<LegacyCreate, 'signingKey'>>
