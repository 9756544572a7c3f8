import { equalBytes } from '@imago/data'
import type { Did } from '@imago/syntax'
import { type EventSummary, readEvent } from './event-summary.ts'
import type { Finding, FindingCode } from './finding.ts'
import { eventsOf, type RepoRow, type Statements } from './repo-tables.ts'
import { cidText } from './verify-repo.ts'

/** What the stream has told of an account last. */
export interface Told {
  readonly head: Extract<EventSummary, { kind: 'head' }> | undefined
  readonly account: Extract<EventSummary, { kind: 'account' }> | undefined
}

/**
 * The events of one account: each can be read, revisions ascend, and the last ones say where the account stands now.
 * What lies beyond the replay window is not missed.
 * @param repo `undefined` when there is no such repository (any more).
 */
export function* verifyEvents(
  sql: Statements,
  did: Did,
  repo: RepoRow | undefined,
): Generator<Finding, Told, undefined> {
  let head: Told['head']
  let account: Told['account']
  const found = (code: FindingCode, message: string, fix = `imago pds rebuild --did ${did}`): Finding => ({
    type: 'finding',
    code,
    level: 'error',
    did,
    message,
    fix,
  })
  for (const row of eventsOf(sql, did)) {
    let event: EventSummary
    try {
      event = readEvent(row)
    } catch (error) {
      yield found('event-invalid', `event ${row.seq} cannot be used: ${(error as Error).message}`)
      continue
    }
    if (event.kind === 'account') account = event
    if (event.kind !== 'head') continue
    if (
      head !== undefined &&
      (event.rev < head.rev || (event.rev === head.rev && !event.cid.equals(head.cid)))
    )
      yield found(
        'event-order',
        `event ${row.seq} announces revision ${event.rev} after ${head.rev}`,
        'readers drop such an event; a #sync that imago pds rebuild sends brings them up to date',
      )
    else head = event
  }
  if (repo === undefined) {
    if (account?.status !== 'deleted' && (account !== undefined || head !== undefined))
      yield found(
        'event-without-account',
        'the stream tells of an account that is not here, and was not said to be deleted',
      )
    return { head, account }
  }
  const status = repo.status ?? undefined
  if (account !== undefined && account.status !== status)
    yield found(
      'account-event-differs',
      `the stream has said ${account.status ?? 'active'}, and the account is ${status ?? 'active'}`,
    )
  // Nothing is announced of a repository that is not served; when it is again, a #sync comes first.
  if (status === undefined && head !== undefined) {
    const { rev, cid } = head
    if (rev > repo.rev)
      yield found(
        'head-behind-events',
        `the stream has announced ${rev}, and the repository is at ${repo.rev}`,
      )
    else if (rev < repo.rev)
      yield found('event-missing', `the repository is at ${repo.rev}, and the stream has announced ${rev}`)
    else if (!equalBytes(cid.bytes, repo.head))
      yield found(
        'head-behind-events',
        `the stream has announced ${cid} for ${rev}, and the head is ${cidText(repo.head)}`,
      )
  }
  return { head, account }
}
