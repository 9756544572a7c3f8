import { type Html, html } from '../html.ts'
import { type LiveQuery, liveSearch } from '../streams/filter.ts'
import { KINDS, type LiveEvent, SOURCES, type Source } from '../streams/live-event.ts'
import { badge, eventUrl, problem } from './parts.ts'

/** An event with the handle of its account. */
export interface NamedEvent extends LiveEvent {
  readonly handle: string | undefined
}

const SOURCE_TITLES: Readonly<Record<Source, string>> = { relay: 'Relay', jetstream: 'Jetstream' }

export interface LiveFacts {
  readonly query: LiveQuery
  /** Newest first. */
  readonly events: readonly NamedEvent[]
  /** What comes after this place is still to be sent. */
  readonly after: number
  /** What is wrong with the query. */
  readonly problem: string | undefined
}

/** The stream as it comes. Without a script: its latest events, as of now. */
export function livePage(facts: LiveFacts): Html {
  const { query, problem: wrong } = facts
  return html`<header class="live-head">
<h1>Live</h1>
<nav class="segments" aria-label="Stream">
${SOURCES.map(
  (source) =>
    html`<a href="/live${liveSearch(query, { source })}"${source === query.source ? html` aria-current="true"` : ''}>${SOURCE_TITLES[source]}</a>`,
)}
</nav>
<p class="live-state" data-live-state hidden></p>
<button type="button" data-live-pause hidden>Pause</button>
</header>
${filters(query)}
${wrong === undefined ? eventsAndInspector(facts) : problem(wrong)}`
}

function filters(query: LiveQuery): Html {
  const all = liveSearch({ source: query.source, collection: '', account: '', kind: '' })
  const plain = html`autocomplete="off" autocapitalize="off" spellcheck="false"`
  return html`<form class="filters" method="get" action="/live" role="search" aria-label="Filter events">
${query.source === 'relay' ? '' : html`<input type="hidden" name="source" value="${query.source}">`}
<label>Collection <input name="collection" value="${query.collection}" placeholder="app.bsky.feed.*" list="collections" ${plain}></label>
<label>Account <input name="account" value="${query.account}" placeholder="alice.test" ${plain}></label>
<label>Kind <select name="kind"><option value="">all</option>${KINDS.map(
    (kind) => html`<option${kind === query.kind ? html` selected` : ''}>${kind}</option>`,
  )}</select></label>
<button type="submit">Filter</button>
${liveSearch(query) === all ? '' : html`<a href="/live${all}">Clear</a>`}
<datalist id="collections"><option value="app.bsky.feed.post"></option><option value="app.bsky.feed.*"></option><option value="app.bsky.actor.profile"></option></datalist>
</form>`
}

function eventsAndInspector({ query, events, after }: LiveFacts): Html {
  const search = liveSearch(query)
  return html`<noscript><p class="quiet">Without JavaScript this page does not move: <a href="/live${search}">load it again</a> for newer events.</p></noscript>
<div class="live" data-live="/live/stream${search}" data-live-after="${after}">
<div class="events" role="region" aria-label="Events, newest first">
<table>
<thead><tr>${query.source === 'relay' ? html`<th scope="col" class="number seq">Seq</th>` : ''}<th scope="col" class="time">Time</th><th scope="col" class="kind">Kind</th><th scope="col" class="who">Account</th><th scope="col">Path</th></tr></thead>
<tbody data-live-rows>
${events.map(eventRow)}
</tbody>
</table>
<p class="empty" data-live-empty${events.length > 0 ? html` hidden` : ''}>Nothing yet. <a href="/write">Write a post</a>, and it appears here.</p>
</div>
<aside class="inspector" data-live-inspector aria-label="Event" aria-live="polite"><p class="quiet">Open an event to see its record, its CID and whether its signature holds.</p></aside>
</div>`
}

/** One row of the table, which the script adds as it is. */
export function eventRow({ source, position, index, time, kind, did, path, note, handle }: NamedEvent): Html {
  const href = `${eventUrl(source, position)}${index === 0 ? '' : `#op-${index}`}`
  return html`<tr>${source === 'relay' ? html`<td class="number seq">${position}</td>` : ''}<td class="time"><time datetime="${time}">${time.slice(11, 23)}</time></td><td class="kind">${badge(kind)}</td><td class="who" title="${did}">${handle ?? did}</td><td class="what"><a href="${href}" data-live-event>${path === undefined ? (note ?? 'no record') : splitPath(path)}</a></td></tr>\n`
}

function splitPath(path: string): Html {
  const slash = path.indexOf('/')
  return html`<span class="collection">${path.slice(0, slash)}/</span>${path.slice(slash + 1)}`
}
