import { com } from '@imago/atproto'
import { createSlots } from '@imago/service'
import type { Did } from '@imago/syntax'
import type { UpstreamStatus } from '../state/account.ts'
import { originOfHost } from './hostname.ts'

/** What a look at a host showed. */
export type HostCheck = 'fine' | 'relay' | { readonly problem: string }

/** Sent by relays, so that they tell one another from hosts. */
export const SERVER_HEADER = 'atproto-relay (imago)'
const RELAY_MARK = 'atproto-relay'
const TIMEOUT_MS = 5000
/** Anybody may make us look at a host: at so many at the same time. */
const CONCURRENCY = 20

/** Questions to a host, over HTTP. */
export interface AskHost {
  /** Whether it answers as a PDS does. */
  check(hostname: string): Promise<HostCheck>
  /** How one of its accounts stands; `undefined` when that cannot be learnt. */
  status(hostname: string, did: Did): Promise<UpstreamStatus | undefined>
}

/** @param fetch goes to hosts that strangers named: one from `createSafeFetch`. */
export function createAskHost(fetch: typeof globalThis.fetch): AskHost {
  const slots = createSlots(CONCURRENCY)
  const get = (hostname: string, nsid: string, params: Record<string, string> = {}) => {
    const url = new URL(`/xrpc/${nsid}`, originOfHost(hostname))
    url.search = new URLSearchParams(params).toString()
    return slots.run(() => fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' }))
  }
  return {
    async check(hostname) {
      try {
        const response = await get(hostname, 'com.atproto.server.describeServer')
        // A relay does not answer this method, but says what it is with every answer.
        if (response.headers.get('server')?.toLowerCase().includes(RELAY_MARK)) {
          await response.body?.cancel()
          return 'relay'
        }
        if (!response.ok) {
          await response.body?.cancel()
          return { problem: `it answers ${response.status} to describeServer` }
        }
        const about = (await response.json()) as { readonly did?: unknown } | null
        if (typeof about?.did !== 'string') return { problem: 'its answer to describeServer names no DID' }
        return 'fine'
      } catch (error) {
        return { problem: `no answer to describeServer: ${messageOf(error)}` }
      }
    },
    async status(hostname, did) {
      try {
        const response = await get(hostname, 'com.atproto.sync.getRepoStatus', { did })
        const answer = com.atproto.sync.getRepoStatus.main.output!.schema!.validate(await response.json())
        if (!response.ok || !answer.ok || answer.value.did !== did) return undefined
        const { active, status } = answer.value
        return { active, ...(status !== undefined && { status }) }
      } catch {
        return undefined
      }
    },
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
