import {
  type ExplainedOperation,
  normalizeOperation,
  type PlcChange,
  type PlcErrorCode,
} from '@imago/identity/plc'
import { html } from 'hono/html'
import { isoTime } from '../http/operation-json.ts'
import type { AsideOperation, Withdrawal } from '../store/plc-store.ts'
import { page } from './page.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

const KINDS: Readonly<Record<ExplainedOperation['kind'], string>> = {
  genesis: 'Created',
  update: 'Changed',
  recovery: 'Recovered',
  tombstone: 'Ended',
}

/** What a withdrawn operation broke, for people. */
const RULES: Partial<Record<PlcErrorCode, string>> = {
  InvalidOperation: 'it does not have the form of an operation',
  OperationTooLarge: 'it is larger than an operation may be',
  InvalidTime: 'it was dated before the operation that held',
  GenesisMismatch: 'it does not hash to the DID',
  Misordered: 'it followed one that may not stand',
  InvalidSignature: 'no key that might have signed it did',
  StalePrev: 'its key did not outrank the one whose operation it undid',
  LateRecovery: 'it came more than 72 hours after what it undid',
}

/**
 * The history of a DID as a page: newest first, every undoing and every withdrawal with its reason.
 * @param now milliseconds since the epoch.
 */
export function timelinePage(
  did: string,
  told: readonly ExplainedOperation[],
  withdrawals: readonly Withdrawal[],
  now: number,
) {
  const head = told.findLast(({ undone }) => undone === undefined)
  const data = head && normalizeOperation(head.entry.operation)
  const positions = new Map(told.map(({ entry }, i) => [entry.cid.toString(), i + 1]))
  return page(
    did,
    html`<p><a href="/">All DIDs</a></p>
      <h1 class="mono">${did}</h1>
      <dl class="facts">
        <dt>Called</dt><dd>${data?.alsoKnownAs.join(', ') || 'nothing'}</dd>
        <dt>Lives at</dt><dd>${
          Object.values(data?.services ?? {})
            .map(({ endpoint }) => endpoint)
            .join(', ') || 'nowhere'
        }</dd>
        <dt>Ruled by</dt>
        <dd>${data === undefined ? (head === undefined ? 'nobody: nothing of it stands' : 'nobody: it has ended') : data.rotationKeys.map((key, i) => html`<div>${i + 1}. <code>${key}</code></div>`)}</dd>
        <dt>As data</dt>
        <dd><a href="/${did}">document</a> · <a href="/${did}/log/audit">all operations</a> · <a href="/${did}/log/proof">proof of the last one</a></dd>
      </dl>
      <ol class="timeline">
        ${[
          ...told.map((one, i) => ({
            at: one.entry.createdAt,
            markup: item(one, i + 1, one === head, positions, now),
          })),
          ...withdrawals.map((one) => ({ at: one.createdAt, markup: withdrawalItem(one) })),
        ]
          .sort((a, b) => b.at - a.at)
          .map(({ markup }) => markup)}
      </ol>`,
  )
}

function item(
  told: ExplainedOperation,
  number: number,
  isHead: boolean,
  positions: ReadonlyMap<string, number>,
  now: number,
) {
  const { entry, kind, changes, signedBy, undone } = told
  const state = undone !== undefined ? 'undone' : isHead ? 'head' : ''
  return html`<li class="${state}" id="operation-${number}">
    <h2>${number}. ${KINDS[kind]}${undone && html`<span class="badge bad">undone</span>`}${isHead && html`<span class="badge good">holds</span>`}</h2>
    <div class="when"><time datetime="${isoTime(entry.createdAt)}">${timeText(entry.createdAt)}</time>, signed by key ${signedBy.position + 1} of ${signedBy.of}</div>
    <ul class="changes">${changes.map((change) => html`<li>${changeText(change)}</li>`)}${changes.length === 0 && html`<li>Says the same again</li>`}</ul>
    <div class="mono muted">${entry.cid.toString()}</div>
    ${reason(told, positions, now)}
  </li>`
}

function withdrawalItem({ did, seq, createdAt, reason, operations }: Withdrawal) {
  return html`<li class="undone" id="withdrawal-${seq}">
    <h2>Withdrawn<span class="badge bad">never valid</span></h2>
    <div class="when"><time datetime="${isoTime(createdAt)}">${timeText(createdAt)}</time>, by the directory</div>
    <p class="reason">${reason}</p>
    <ul class="changes withdrawn">${operations.map(withdrawnText)}</ul>
    <p class="muted">Nothing was deleted: <a href="/${did}/log/withdrawn">what was withdrawn</a>, and <a href="/${did}/log/proof?seq=${seq}">proof of the notice</a>. What it had undone holds again.</p>
  </li>`
}

const withdrawnText = ({ cid, createdAt, rule }: AsideOperation) =>
  html`<li>Operation of <time datetime="${isoTime(createdAt)}">${timeText(createdAt)}</time>: ${RULES[rule] ?? rule}<div class="mono muted">${cid}</div></li>`

function reason(
  { undone, undid, strongerKeys, disputableUntil, signedBy }: ExplainedOperation,
  positions: ReadonlyMap<string, number>,
  now: number,
) {
  const link = (cid: string) =>
    html`<a href="#operation-${positions.get(cid)}">operation ${positions.get(cid)}</a>`
  if (undone !== undefined)
    return undone.isConsequence
      ? html`<p class="reason">Undone together with the operation that it follows, by ${link(undone.by.toString())}.</p>`
      : html`<p class="reason">Undone ${duration(undone.afterMs)} later by ${link(undone.by.toString())}: key ${undone.byPosition + 1}, which signed that, outranks key ${signedBy.position + 1}, which signed this, and 72 hours were not over.</p>`
  if (undid.length > 0)
    return html`<p class="reason open">Undid ${undid.map((cid, i) => html`${i > 0 ? ', ' : ''}${link(cid.toString())}`)}.</p>`
  if (strongerKeys.length > 0 && now <= disputableUntil)
    return html`<p class="reason open">Can be undone for another ${duration(disputableUntil - now)} by a stronger key: <code>${strongerKeys.join(', ')}</code></p>`
  return ''
}

function changeText(change: PlcChange) {
  switch (change.what) {
    case 'rotationKey':
      return html`${change.kind === 'added' ? '+' : '−'} rotation key ${change.position + 1}: <code>${change.key}</code>`
    case 'rotationKeys':
      return html`↕ rotation keys in another order: <code>${change.keys.join(', ')}</code>`
    case 'verificationMethod':
      return named(`key ${change.name}`, change.kind, change.before, change.after)
    case 'service':
      return named(`service ${change.name}`, change.kind, change.before?.endpoint, change.after?.endpoint)
    case 'alias':
      return html`${change.kind === 'added' ? '+' : '−'} name ${change.alias}`
    case 'aliases':
      return html`↕ names in another order: ${change.aliases.join(', ')}`
  }
}

function named(
  what: string,
  kind: 'added' | 'removed' | 'changed',
  before: string | undefined,
  after: string | undefined,
) {
  if (kind === 'changed') return html`~ ${what}: <code>${before}</code> → <code>${after}</code>`
  return html`${kind === 'added' ? '+' : '−'} ${what}: <code>${after ?? before}</code>`
}

const timeText = (ms: number) => `${isoTime(ms).replace('T', ' ').slice(0, 19)} UTC`

function duration(ms: number): string {
  const hours = Math.floor(ms / HOUR_MS)
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS)
  const parts = [hours > 0 && `${hours} h`, (minutes > 0 || hours === 0) && `${minutes} min`]
  return parts.filter((part) => part !== false).join(' ')
}
