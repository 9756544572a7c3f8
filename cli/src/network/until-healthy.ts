import { setTimeout as sleep } from 'node:timers/promises'
import { type Addresses, eachPart, type PartName } from './addresses.ts'

const HEALTH: Readonly<Record<PartName, string>> = {
  console: '/_health',
  plc: '/_health',
  pds: '/xrpc/_health',
  relay: '/xrpc/_health',
  jetstream: '/_health',
}
const ATTEMPTS = 100
const PAUSE_MS = 50

/**
 * Resolves when every part answers that it is well.
 * @throws {Error} naming the first part that does not within a few seconds, and what it says.
 */
export async function untilHealthy(addresses: Addresses, signal: AbortSignal): Promise<void> {
  await Promise.all(
    eachPart(addresses).map(({ name, title, address }) =>
      untilOk(`${address.url}${HEALTH[name]}`, title, signal),
    ),
  )
}

async function untilOk(url: string, title: string, signal: AbortSignal): Promise<void> {
  let last = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await sleep(PAUSE_MS, undefined, { signal })
    try {
      const response = await fetch(url, { signal })
      const text = await response.text()
      if (response.ok) return
      last = `status ${response.status}: ${text.slice(0, 200)}`
    } catch (error) {
      signal.throwIfAborted()
      last = String((error as Error).cause ?? error)
    }
  }
  throw new Error(`${title} does not become well: ${url} gives ${last}`)
}
