import type { PlcOperation, PlcTombstone } from '@imago/identity/plc'
import type { Did } from '@imago/syntax'

/** Writes to the PLC directory. */
export interface PlcClient {
  /**
   * Submits an operation. Resolves when the directory has accepted it.
   * @throws {PlcClientError} when the directory refused it, or could not be reached.
   */
  submit(did: Did, operation: PlcOperation | PlcTombstone): Promise<void>
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
  return {
    async submit(did, operation) {
      let response: Response
      try {
        response = await options.fetch(`${base}/${did}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(operation),
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
    },
  }
}
