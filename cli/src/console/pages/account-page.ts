import type { JsonValue } from '@imago/data'
import { type Html, html } from '../html.ts'
import type { Account, PlcEntry } from '../queries/accounts.ts'
import { accountUrl, badge, code, count, facts, json, moment, size, verdict } from './parts.ts'

/** One account: who it is, and where its repository stands. */
export function accountPage(account: Account): Html {
  const { did, handle, pds, signingKey, document, history, status, head, rev, revTime } = account
  return html`<p class="crumbs"><a href="/accounts">Accounts</a></p>
<h1>${handle ?? 'No valid handle'}</h1>
<p class="lead">${code(did)}</p>

<section aria-labelledby="repo-title">
<h2 id="repo-title">Repository</h2>
${repoVerdict(account)}
${facts([
  ['Status', status],
  ['Last commit', head && code(head)],
  ['Rev', rev && html`${code(rev)} <span class="quiet">${moment(revTime)}</span>`],
  ['At the relay', relayView(account)],
  [
    'Follow',
    html`<a href="/live?account=${encodeURIComponent(handle ?? did)}">events of this account, live</a>`,
  ],
])}
</section>

${collections(account)}

<section aria-labelledby="identity-title">
<h2 id="identity-title">Identity</h2>
${facts([
  ['Handle', handle ?? 'none that names this DID in turn'],
  ['PDS', pds],
  ['Signing key', signingKey && code(signingKey)],
])}
<details><summary>DID document</summary>${json(document as unknown as JsonValue)}</details>
${history.length === 0 ? '' : plcHistory(history)}
</section>`
}

function repoVerdict({ summary }: Account): Html | string {
  if (summary === undefined) return ''
  if (summary.outcome === 'verified')
    return verdict(
      true,
      html`Exported and verified at this rev: ${count(summary.records, 'record')}, ${size(summary.bytes)}, every block hashed, the tree whole, the commit signed by the account’s key.`,
    )
  if (summary.outcome === 'too large')
    return html`<p class="quiet">Larger than ${size(summary.maxBytes)}: not verified here.</p>`
  return verdict(false, summary.reason)
}

function relayView({ rev, atRelay }: Account): string {
  if (atRelay === undefined) return 'not known there yet'
  if (atRelay.rev === undefined) return atRelay.status
  return atRelay.rev === rev ? 'at the same rev' : `at rev ${atRelay.rev}`
}

function collections({ did, summary }: Account): Html | string {
  if (summary?.outcome !== 'verified') return ''
  const list = [...summary.collections]
  return html`<section aria-labelledby="collections-title">
<h2 id="collections-title">Collections</h2>
${
  list.length === 0
    ? html`<p class="empty">No records yet.</p>`
    : html`<ul class="links">
${list.map(
  ([collection, records]) =>
    html`<li><a href="${accountUrl(did)}/${encodeURIComponent(collection)}">${collection}</a> <span class="quiet">${count(records, 'record')}</span></li>\n`,
)}</ul>`
}
</section>`
}

function plcHistory(history: readonly PlcEntry[]): Html {
  return html`<h3>History</h3>
<ol class="history">
${history.map(
  ({ type, cid, createdAt, nullified }) =>
    html`<li>${badge(type)}${nullified ? html` <span class="badge">undone</span>` : ''} ${moment(createdAt)} ${code(cid)}</li>\n`,
)}</ol>`
}
