import { type Html, html } from '../html.ts'
import type { AccountPage, AccountRow } from '../queries/accounts.ts'
import { account, code, pager } from './parts.ts'

/** The accounts of the PDS. */
export function accountsPage({ rows, cursor }: AccountPage, isFirst: boolean): Html {
  if (rows.length === 0 && isFirst)
    return html`<h1>Accounts</h1>
<p class="empty">There are none yet. <a href="/write">Make the first one</a>.</p>`
  return html`<h1>Accounts</h1>
<p class="lead">Everybody whose repository this network’s PDS keeps.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Accounts">
<table class="accounts">
<thead><tr><th scope="col">Handle</th><th scope="col">DID</th><th scope="col">PDS</th><th scope="col">Rev</th><th scope="col" class="number">Records</th></tr></thead>
<tbody>
${rows.map(accountRow)}
</tbody>
</table>
</div>
${pager('/accounts', cursor, isFirst)}`
}

function accountRow({ did, handle, pds, rev, status, summary }: AccountRow): Html {
  return html`<tr>
<th scope="row">${account(did, handle)}${status === 'active' ? '' : html` <span class="badge">${status}</span>`}</th>
<td data-label="DID">${code(did)}</td>
<td data-label="PDS">${pds?.replace(/^https?:\/\//, '') ?? html`<span class="quiet">unknown</span>`}</td>
<td data-label="Rev">${code(rev)}</td>
<td data-label="Records" class="number">${recordsOf(summary)}</td>
</tr>\n`
}

function recordsOf(summary: AccountRow['summary']): Html | string {
  if (summary?.outcome === 'verified') return summary.records.toLocaleString('en')
  if (summary?.outcome === 'too large') return html`<span class="quiet">many</span>`
  return html`<span class="quiet">–</span>`
}
