import { type DataMap, readCar } from '@imago/data'
import type { DidIdentity } from '@imago/identity'
import type { NewEntry } from '@imago/log'
import { parseCommit } from '@imago/repo'
import {
  CHECKS,
  type CommitEvent,
  type CommitVerdict,
  createRateLimit,
  type EventContext,
  type Refusal,
  type SyncVerdict,
  verifyCommit,
  verifySync,
} from '@imago/sync'
import { type Did, isDid, normalizeHandle } from '@imago/syntax'
import { ACTIVE, type Account, type Head, statusOf, type UpstreamStatus } from '../state/account.ts'
import type { DropReason } from './drops.ts'
import { type Identities, pdsHostOf } from './identities.ts'
import { passOn, restate } from './log-entry.ts'
import type { Arrival } from './read-frame.ts'

/** What is to become of one event. */
export type Decision =
  | {
      readonly kind: 'forward'
      readonly entries: readonly NewEntry[]
      readonly account?: Account
      /** What was found and does not count against it. */
      readonly noted?: 'chain-continuity' | 'lenient'
    }
  | { readonly kind: 'drop'; readonly check: DropReason; readonly reason: string }

export interface Judge {
  /**
   * Decides about one event of one host. No two events about one account may be judged at the same time, and the
   * decision must be settled before the next.
   */
  decide(arrival: Arrival, host: JudgedHost): Promise<Decision>
}

export interface JudgedHost {
  readonly hostname: string
  readonly identities: Identities
}

export interface JudgeOptions {
  readonly account: (did: Did) => Account | undefined
  /** How the account's host says that it stands, asked for directly; `undefined` when it does not answer. */
  readonly askStatus: (hostname: string, did: Did) => Promise<UpstreamStatus | undefined>
  readonly now: () => number
  /** Pass on commits that are signed well and prove their change badly (checks 11 to 15). */
  readonly lenient: boolean
}

const RECHECK_INTERVAL_MS = 60_000
/** From here on the checks are about the change, no longer about who made it. */
const FIRST_CHECK_OF_CHANGE = 11

/** @see https://atproto.com/specs/sync#firehose */
export function createJudge({ account: accountOf, askStatus, now, lenient }: JudgeOptions): Judge {
  const mayAskStatus = createRateLimit(RECHECK_INTERVAL_MS, now)
  const maySpeakOfOthers = createRateLimit(RECHECK_INTERVAL_MS, now)

  function contextOf(host: JudgedHost, account: Account | undefined, identity: DidIdentity | undefined) {
    const pdsHost = pdsHostOf(identity)
    const context: EventContext = {
      account: account && {
        status: statusWord(account),
        ...(account.head && { head: { rev: account.head.rev, data: account.head.data } }),
      },
      signingKey: identity?.signingKey,
      nowMs: now(),
      senderHost: host.hostname,
      ...(pdsHost !== undefined && { pdsHost }),
    }
    return context
  }

  /**
   * A verdict on a commit or a sync. The account may have moved or changed its key (checks 2 and 9), or have come back
   * unheard (3): then who knows is asked, once and seldom, and the event judged again.
   */
  async function verdictOf<V extends CommitVerdict | SyncVerdict>(
    arrival: Arrival,
    host: JudgedHost,
    verify: (context: EventContext) => V,
  ): Promise<{ verdict: V; account: Account | undefined; cameBack: boolean }> {
    const did = arrival.did as Did
    let identity = await host.identities.of(did)
    let account = accountOf(did)
    let cameBack = false
    let verdict = verify(contextOf(host, account, identity))
    if (!verdict.accepted && (verdict.check === 2 || verdict.check === 9)) {
      identity = (await host.identities.afresh(did)) ?? identity
      verdict = verify(contextOf(host, account, identity))
    }
    if (!verdict.accepted && verdict.check === 3 && account?.local === 'active' && mayAskStatus(did)) {
      const upstream = await askStatus(host.hostname, did)
      if (upstream?.active) {
        cameBack = true
        account = { ...account, host: host.hostname, upstream }
        verdict = verify(contextOf(host, account, identity))
      }
    }
    return { verdict, account, cameBack }
  }

  function forwardRepo(
    { seq, frame, did }: Arrival,
    { hostname }: JudgedHost,
    head: Head,
    known: { account: Account | undefined; cameBack: boolean },
    noted?: 'chain-continuity' | 'lenient',
  ): Decision {
    const account: Account = {
      ...(known.account ?? { did: did as Did, upstream: ACTIVE, local: 'active' }),
      host: hostname,
      head,
    }
    const entries = [passOn({ host: hostname, seq }, frame)]
    if (known.cameBack) {
      const body = { did, active: true, time: new Date(now()).toISOString() }
      entries.unshift(accountEntry(account, hostname, seq, body))
    }
    return { kind: 'forward', entries, account, ...(noted && { noted }) }
  }

  async function decideCommit(arrival: Arrival, host: JudgedHost, event: CommitEvent): Promise<Decision> {
    const { verdict, ...known } = await verdictOf(arrival, host, (context) =>
      verifyCommit(event, { ...context, decodeRecords: false }),
    )
    if (verdict.accepted)
      return forwardRepo(
        arrival,
        host,
        { ...verdict.state, commit: verdict.cid },
        known,
        verdict.outcome === 'discontinuous' ? 'chain-continuity' : undefined,
      )
    if (lenient && verdict.outcome === 'refused' && verdict.check >= FIRST_CHECK_OF_CHANGE)
      return forwardRepo(arrival, host, signedHead(event), known, 'lenient')
    return refusal(verdict)
  }

  async function decideSync(
    arrival: Arrival,
    host: JudgedHost,
    event: Parameters<typeof verifySync>[0],
  ): Promise<Decision> {
    const { verdict, ...known } = await verdictOf(arrival, host, (context) => verifySync(event, context))
    if (!verdict.accepted) return refusal(verdict)
    if (verdict.outcome === 'unchanged' && !known.cameBack)
      return { kind: 'drop', check: 'unchanged', reason: `rev ${event.rev} is what is known` }
    return forwardRepo(arrival, host, { ...verdict.state, commit: verdict.cid }, known)
  }

  /**
   * Any host may say that an identity changed, for it costs no more than a look. The handle is passed on where we find
   * the same ourselves.
   */
  async function decideIdentity(
    arrival: Arrival,
    host: JudgedHost,
    handle: string | undefined,
  ): Promise<Decision> {
    const { seq, body, frame } = arrival
    const did = arrival.did as Did
    const origin = { host: host.hostname, seq }
    const isOwn = pdsHostOf(await host.identities.of(did)) === host.hostname
    if (!isOwn && !maySpeakOfOthers(did))
      return drop(2, `${host.hostname} is not the host of ${did}, which another one spoke of just now`)
    const identity = await host.identities.withHandle(did)
    if (identity === undefined) return drop(10, `${did} cannot be resolved`)
    const verified =
      identity !== 'ended' && handle !== undefined && identity.handle === normalizeHandle(handle as never)
    if (handle === undefined || verified) return { kind: 'forward', entries: [passOn(origin, frame)] }
    const { handle: _, ...rest } = body
    return { kind: 'forward', entries: [restate(origin, '#identity', rest)] }
  }

  /** An account's state is told from hop to hop: what goes on from here is our own view. */
  async function decideAccount(
    arrival: Arrival,
    host: JudgedHost,
    upstream: UpstreamStatus,
  ): Promise<Decision> {
    const did = arrival.did as Did
    const { hostname, identities } = host
    let pdsHost = pdsHostOf(await identities.of(did))
    if (pdsHost !== hostname) pdsHost = pdsHostOf(await identities.afresh(did)) ?? pdsHost
    const known = accountOf(did)
    // The end of an account may be told after its DID has ended; then the host that had it last is believed.
    if (pdsHost === undefined && known?.host !== hostname) return drop(10, `${did} cannot be resolved`)
    if (pdsHost !== undefined && pdsHost !== hostname)
      return drop(2, `sent by ${hostname}, and the account is at ${pdsHost}`)
    const account: Account = { ...(known ?? { did, local: 'active' as const }), host: hostname, upstream }
    return {
      kind: 'forward',
      entries: [accountEntry(account, hostname, arrival.seq, arrival.body)],
      account,
    }
  }

  return {
    async decide(arrival, host) {
      const { parsed, did } = arrival
      if (!isDid(did)) return drop(1, `${JSON.stringify(did.slice(0, 80))} is not a DID`)
      switch (parsed.type) {
        case '#commit':
          return await decideCommit(arrival, host, parsed.event)
        case '#sync':
          return await decideSync(arrival, host, parsed.event)
        case '#identity':
          return await decideIdentity(arrival, host, parsed.event.handle)
        case '#account': {
          const { active, status } = parsed.event
          return await decideAccount(arrival, host, { active, ...(status !== undefined && { status }) })
        }
      }
    },
  }
}

/** An `#account` that says what we say of the account, with all else that its host said. */
function accountEntry(account: Account, host: string, seq: number, body: DataMap): NewEntry {
  const { status: _, ...rest } = body
  return restate({ host, seq, upstream: account.upstream }, '#account', { ...rest, ...statusOf(account) })
}

function statusWord(account: Account): string {
  const { active, status } = statusOf(account)
  return active ? 'active' : status!
}

/** Of a commit whose signature was found good. */
function signedHead({ blocks, commit }: CommitEvent): Head {
  const { data, rev } = parseCommit(readCar(blocks).blocks.get(commit)!)
  return { data, rev, commit }
}

const drop = (check: keyof typeof CHECKS, reason: string): Decision => ({
  kind: 'drop',
  check: CHECKS[check],
  reason,
})
const refusal = ({ name, reason }: Refusal): Decision => ({ kind: 'drop', check: name, reason })
