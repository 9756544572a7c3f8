import {
  type DidPlc,
  type Operation,
  operationCid,
  PlcError,
  type PlcLog,
  parseOperation,
  validateLog,
} from '@imago/identity/plc'
import { CliError, EXIT } from '../cli-error.ts'

const TIMEOUT_MS = 15_000

/** A directory that is asked and told by a person. Everything that it answers is validated here. */
export interface PlcDirectory {
  readonly url: string
  /**
   * The whole history, each hash and signature checked.
   * @throws {CliError} when nobody has registered the DID, the directory does not answer, or its history is not valid.
   */
  log(did: DidPlc): Promise<PlcLog>
  /** The same as it is told, for whoever has to look at what is not valid. @throws {CliError} */
  unjudged(did: DidPlc): Promise<unknown>
  /** Withdraws an operation that may not stand. @throws {CliError} with what the directory says. */
  withdraw(notice: {
    readonly did: DidPlc
    readonly cid: string
    readonly reason: string
    readonly secret: string
  }): Promise<{ readonly seq: number; readonly createdAt: string }>
  /** Submits an operation, and sees that it became the last one. @throws {CliError} with what the directory says. */
  submit(did: DidPlc, operation: Operation): Promise<void>
}

export function createPlcDirectory(address: string, fetch: typeof globalThis.fetch): PlcDirectory {
  const url = address.replace(/\/$/, '')

  async function ask(
    path: string,
    init?: RequestInit,
  ): Promise<{ status: number; text: string; headers: Headers }> {
    try {
      const response = await fetch(`${url}/${path}`, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) })
      return { status: response.status, text: await response.text(), headers: response.headers }
    } catch (error) {
      throw new CliError(EXIT.failed, `${url} did not answer: ${reasonOf(error)}`, { cause: error })
    }
  }

  async function json(path: string): Promise<unknown> {
    const { status, text } = await ask(path)
    if (status !== 200)
      throw new CliError(EXIT.failed, `${url}/${path} answered ${status}: ${messageOf(text)}`)
    try {
      return JSON.parse(text)
    } catch {
      throw new CliError(EXIT.failed, `${url}/${path} did not answer with JSON`)
    }
  }

  return {
    url,
    log: async (did) => validated(did, await json(`${did}/log/audit`)),
    unjudged: (did) => json(`${did}/log/audit`),
    async withdraw({ secret, ...notice }) {
      const { status, text, headers } = await ask('admin/removeInvalidOps', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
        body: JSON.stringify(notice),
      })
      if (status !== 200)
        throw new CliError(EXIT.failed, `${url} refused the withdrawal (${status}): ${messageOf(text)}`)
      return { seq: Number(headers.get('plc-seq')), createdAt: headers.get('plc-created-at') ?? '' }
    },
    async submit(did, operation) {
      const headers = { 'content-type': 'application/json' }
      const { status, text } = await ask(did, { method: 'POST', headers, body: JSON.stringify(operation) })
      if (status !== 200)
        throw new CliError(EXIT.failed, `${url} refused the operation (${status}): ${messageOf(text)}`)
      const last = parseOperation(await json(`${did}/log/last`), 'replay')
      if (!operationCid(last).equals(operationCid(operation)))
        throw new CliError(
          EXIT.failed,
          `${url} took the operation, and tells another one as the last: look at imago plc history ${did}`,
        )
    },
  }
}

/**
 * An audit log, validated from its first operation on.
 * @param entries as `/log/audit` answers them.
 * @throws {CliError} for what is not such a log, or not a valid one.
 */
export function validated(did: DidPlc, entries: unknown): PlcLog {
  try {
    if (!Array.isArray(entries)) throw new PlcError('InvalidOperation', 'it is not a list of operations')
    const timed = entries.map(({ operation, createdAt }) => ({
      operation: parseOperation(operation, 'replay'),
      createdAt: String(createdAt),
    }))
    return validateLog(did, timed).log
  } catch (error) {
    if (!(error instanceof PlcError) && !(error instanceof TypeError)) throw error
    throw new CliError(EXIT.failed, `the history of ${did} is not valid: ${error.message}`, { cause: error })
  }
}

/** Of a request that came to nothing: `fetch` itself says no more than that it failed. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message
}

function messageOf(text: string): string {
  try {
    return String(JSON.parse(text).message)
  } catch {
    return text.slice(0, 300)
  }
}
