import { type Html, html } from '../html.ts'
import type { ProvenRecord } from '../inspect/verified-record.ts'
import type { RecordRow } from '../queries/accounts.ts'
import { account, accountUrl, code, facts, json, pager, recordUrl, verdict } from './parts.ts'

interface Place {
  readonly did: string
  readonly handle: string | undefined
  readonly collection: string
}

function crumbs({ did, handle, collection }: Place, isCollection: boolean): Html {
  return html`<p class="crumbs"><a href="/accounts">Accounts</a> / ${account(did, handle)}${
    isCollection
      ? ''
      : html` / <a href="${accountUrl(did)}/${encodeURIComponent(collection)}">${collection}</a>`
  }</p>`
}

/** The records of one collection. */
export function collectionPage(
  place: Place,
  { rows, cursor }: { rows: readonly RecordRow[]; cursor: string | undefined },
  isFirst: boolean,
): Html {
  const { did, collection } = place
  return html`${crumbs(place, true)}
<h1>${collection}</h1>
${
  rows.length === 0
    ? html`<p class="empty">No records here.</p>`
    : html`<ol class="records">
${rows.map(
  ({ rkey, value }) =>
    html`<li><a href="${recordUrl(did, collection, rkey)}"><code>${rkey}</code></a> <span class="excerpt">${excerpt(value)}</span></li>\n`,
)}</ol>`
}
${pager(`${accountUrl(did)}/${encodeURIComponent(collection)}`, cursor, isFirst)}`
}

const MAX_EXCERPT = 200

/** What a record says in a line: its text where it has one. */
function excerpt(value: unknown): string {
  const text = (value as { text?: unknown } | null)?.text
  const whole = typeof text === 'string' ? text : JSON.stringify(value)
  return whole.length > MAX_EXCERPT ? `${whole.slice(0, MAX_EXCERPT)}…` : whole
}

/** One record with what proves it. */
export function recordPage(
  place: Place,
  rkey: string,
  proven: ProvenRecord | { readonly failed: string },
): Html {
  const { did, collection } = place
  const heading = html`${crumbs(place, false)}
<h1 class="path">${collection}<wbr>/<wbr>${rkey}</h1>`
  if ('failed' in proven) return html`${heading}${verdict(false, proven.failed)}`
  if (!proven.found)
    return html`${heading}
<p class="empty">There is no such record, as the repository at rev ${code(proven.rev)} proves.</p>`
  return html`${heading}
${verdict(true, 'Proven just now: the record is in the signed tree of its repository.')}
${facts([
  ['Address', code(`at://${did}/${collection}/${rkey}`)],
  ['CID', code(proven.cid)],
  ['Repository rev', code(proven.rev)],
  ['Signed by', code(proven.signedBy)],
])}
<h2>Record</h2>
${json(proven.record)}`
}
