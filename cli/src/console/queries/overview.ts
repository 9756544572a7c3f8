import { com } from '@imago/atproto'
import { createClient } from '@imago/xrpc/client'
import type { ServiceUrls } from '../service-urls.ts'
import type { Feeds } from '../streams/feeds.ts'

/** One service, as it answers now. */
export interface ServiceState {
  readonly name: 'plc' | 'pds' | 'relay' | 'jetstream'
  readonly title: string
  readonly about: string
  readonly url: string
  /** Where its health is told. */
  readonly healthUrl: string
  readonly isUp: boolean
  readonly version: string | undefined
  readonly latencyMs: number
  /** One figure that says that it works. */
  readonly figure: string | undefined
}

export interface Overview {
  readonly services: readonly ServiceState[]
  /** How many accounts the PDS lists; `undefined` when it does not say. */
  readonly accounts: { readonly count: number; readonly more: boolean } | undefined
  readonly lastSeq: number | undefined
  readonly recentEvents: number
}

const TIMEOUT_MS = 2000
const MAX_COUNTED = 1000

const SERVICES = [
  ['plc', 'PLC directory', 'Knows every did:plc: who has which keys, handle and host.', '/_health'],
  ['pds', 'PDS', 'Keeps accounts and their repositories, and announces every write.', '/xrpc/_health'],
  ['relay', 'Relay', 'Verifies what hosts announce, and makes one stream of it.', '/xrpc/_health'],
  ['jetstream', 'Jetstream', 'Tells the same as JSON, filtered to what you ask for.', '/_health'],
] as const

/** Asks every service how it is. Never rejects: a service that does not answer is down. */
export async function readOverview(services: ServiceUrls, feeds: Feeds): Promise<Overview> {
  const [accounts, hosts, ...states] = await Promise.all([
    countAccounts(services.pds),
    countHosts(services.relay),
    ...SERVICES.map(([name, title, about, path]) => readHealth(name, title, about, services[name], path)),
  ])
  const lastSeq = feeds.relay.recent.at(-1)?.position
  const figures: Record<ServiceState['name'], string | undefined> = {
    plc: undefined,
    pds: accounts && `${accounts.count}${accounts.more ? '+' : ''} ${plural(accounts.count, 'account')}`,
    relay: hosts === undefined ? undefined : `${hosts} ${plural(hosts, 'host')}`,
    jetstream: feeds.jetstream.isFollowing
      ? `${feeds.jetstream.received} ${plural(feeds.jetstream.received, 'event')} in the last hour`
      : undefined,
  }
  return {
    services: states.map((state) => ({ ...state, figure: state.figure ?? figures[state.name] })),
    accounts,
    lastSeq,
    recentEvents: feeds.relay.received,
  }
}

const plural = (count: number, noun: string) => (count === 1 ? noun : `${noun}s`)

async function readHealth(
  name: ServiceState['name'],
  title: string,
  about: string,
  url: string,
  path: string,
): Promise<ServiceState> {
  const startedMs = performance.now()
  const healthUrl = `${url}${path}`
  const base = { name, title, about, url, healthUrl }
  try {
    const response = await fetch(healthUrl, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    const health = (await response.json().catch(() => ({}))) as { version?: unknown; lastSeq?: unknown }
    const operations = typeof health.lastSeq === 'number' && name === 'plc' ? health.lastSeq : undefined
    return {
      ...base,
      isUp: response.ok,
      version: typeof health.version === 'string' ? health.version : undefined,
      latencyMs: performance.now() - startedMs,
      figure: operations === undefined ? undefined : `${operations} ${plural(operations, 'operation')}`,
    }
  } catch {
    return {
      ...base,
      isUp: false,
      version: undefined,
      latencyMs: performance.now() - startedMs,
      figure: undefined,
    }
  }
}

async function countAccounts(pds: string): Promise<Overview['accounts']> {
  const { listRepos } = com.atproto.sync
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const result = await createClient({ service: pds })
    .tryCall(listRepos.main, { params: { limit: MAX_COUNTED }, signal })
    .catch(() => undefined)
  if (!result?.ok) return undefined
  return {
    count: result.output.repos.length,
    more: result.output.cursor !== undefined && result.output.repos.length === MAX_COUNTED,
  }
}

async function countHosts(relay: string): Promise<number | undefined> {
  const { listHosts } = com.atproto.sync
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const result = await createClient({ service: relay })
    .tryCall(listHosts.main, { params: { limit: MAX_COUNTED }, signal })
    .catch(() => undefined)
  return result?.ok ? result.output.hosts.length : undefined
}
