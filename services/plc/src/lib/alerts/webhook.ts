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
  readonly onFailure: (error: unknown) => void
}

/**
 * Tells a web address of every alert, in order and at least once: it reads the directory at its own pace, and goes on
 * where it was after a restart. An address that does not answer with 2xx is tried again, later and later.
 */
export function startWebhook(store: PlcStore, options: WebhookOptions): AsyncDisposable {
  const { url, secret, dids, cursor, fetch, onFailure } = options
  const stopped = new AbortController()
  const { signal } = stopped
  let wake = () => {}

  async function deliver(body: string): Promise<void> {
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, MAX_RETRY_MS)) {
      try {
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
        if (response.ok) return
        throw new Error(`${url} answered ${response.status}`)
      } catch (error) {
        if (signal.aborted) throw error
        onFailure(error)
        await sleep(waitMs, undefined, { signal })
      }
    }
  }

  async function run(): Promise<void> {
    const kept = await cursor.read()
    let after = kept === undefined ? ((await store.latest())?.seq ?? 0) : Number(kept)
    if (kept === undefined) await cursor.write(String(after))
    while (!signal.aborted) {
      const page = await historyPage(store, after, PAGE)
      for (const event of page) {
        const alert = dids?.has(event.did) === false ? undefined : await alertOf(store, event)
        if (alert !== undefined) {
          await deliver(JSON.stringify(alert))
          await cursor.write(String(event.seq))
        }
        after = event.seq
      }
      if (page.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve
          if (signal.aborted) resolve()
        })
    }
  }

  const unsubscribe = store.subscribe(() => wake())
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
