import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DurableFile } from '../durable-file.ts'
import { historyPage } from '../history-page.ts'
import type { PlcStore } from '../store/plc-store.ts'
import { alertOf } from './key-alert.ts'

const PAGE = 500
const TIMEOUT_MS = 10_000
const FIRST_RETRY_MS = 1000
const MAX_RETRY_MS = 5 * 60_000

export interface WebhookOptions {
  readonly url: string
  /** Signs each body: `plc-signature: sha256=<hex of HMAC-SHA-256>`. */
  readonly secret: Uint8Array
  /** Only these. Default: every DID. */
  readonly dids?: ReadonlySet<string> | undefined
  /** Keeps how far it has told. Without a cursor it begins at the end. */
  readonly cursor: DurableFile
  readonly fetch: typeof fetch
  /** Pause after the first failure; after each further one, twice as long. Default: a second. */
  readonly firstRetryMs?: number
  readonly onFailure: (error: unknown) => void
}

/**
 * Tells a web address of every alert, in order and at least once: it reads the directory at its own pace, and goes on
 * where it was after a restart. An address that does not answer with 2xx is tried again, later and later; so is a store
 * that cannot be read, or a cursor that cannot be written.
 */
export function startWebhook(store: PlcStore, options: WebhookOptions): AsyncDisposable {
  const { url, secret, dids, cursor, fetch, firstRetryMs = FIRST_RETRY_MS, onFailure } = options
  const stopped = new AbortController()
  const { signal } = stopped
  let changes = 0
  let wake = () => {}

  /** Until it succeeds, or all of this is stopped. */
  async function patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let waitMs = firstRetryMs; ; waitMs = Math.min(2 * waitMs, MAX_RETRY_MS)) {
      try {
        return await work()
      } catch (error) {
        if (signal.aborted) throw error
        onFailure(error)
        await sleep(waitMs, undefined, { signal })
      }
    }
  }

  async function deliver(body: string): Promise<void> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'plc-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
      },
      body,
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  }

  async function firstCursor(): Promise<number> {
    const kept = await cursor.read()
    if (kept !== undefined) return Number(kept)
    const latest = (await store.latest())?.seq ?? 0
    await cursor.write(String(latest))
    return latest
  }

  async function run(): Promise<void> {
    let after = await patiently(firstCursor)
    while (!signal.aborted) {
      const changesBefore = changes
      const page = await patiently(() => historyPage(store, after, PAGE))
      for (const event of page) {
        const alert =
          dids?.has(event.did) === false ? undefined : await patiently(() => alertOf(store, event))
        if (alert !== undefined) {
          await patiently(() => deliver(JSON.stringify(alert)))
          await patiently(() => cursor.write(String(event.seq)))
        }
        after = event.seq
      }
      // What came while the page was read may not be in it.
      if (page.length === 0 && changes === changesBefore)
        await new Promise<void>((resolve) => {
          wake = resolve
          if (signal.aborted) resolve()
        })
    }
  }

  const unsubscribe = store.subscribe(() => {
    changes++
    wake()
  })
  const running = run().catch((error) => {
    if (!signal.aborted) onFailure(error)
  })
  return {
    async [Symbol.asyncDispose]() {
      unsubscribe()
      stopped.abort()
      wake()
      await running
    },
  }
}
