import { toJson } from '@imago/data'
import { type Html, html } from '../html.ts'
import type { Stop, Trace } from '../writing/trace.ts'
import { account, code, eventUrl, facts, json, milliseconds, recordUrl, verdict } from './parts.ts'

const TITLES: Readonly<Record<Stop['name'], readonly [title: string, about: string]>> = {
  answer: ['PDS, answer', 'committed, on disk, and told to the writer'],
  pds: ['PDS, stream', 'announced to whoever follows this host'],
  relay: ['Relay', 'verified, numbered, and passed on'],
  jetstream: ['Jetstream', 'the same as JSON'],
}

const WIDTH = 600
const ROW = 12

/** The way of one write through the network, with the times at which it came by. */
export function tracePage(trace: Trace): Html {
  const { did, handle, collection, rkey, cid, rev, record, stops } = trace
  const last = Math.max(...stops.map(({ afterMs }) => afterMs ?? 0), 1)
  const missing = stops.filter(({ afterMs }) => afterMs === undefined)
  return html`<p class="crumbs"><a href="/write">Write</a></p>
<h1>It is out</h1>
${
  missing.length === 0
    ? verdict(true, html`Everywhere after ${milliseconds(last)}`)
    : html`<p class="lead">Not yet seen at ${missing.map(({ name }) => TITLES[name][0]).join(', ')}. <a href="">Look again</a>.</p>`
}
<ol class="trace">
${stops.map((stop) => stopRow(stop, last))}
</ol>
<p class="actions"><a class="button primary" href="/write">Write another</a> <a class="button" href="/live?account=${encodeURIComponent(handle)}">Watch ${handle}, live</a></p>
<section aria-labelledby="record-title">
<h2 id="record-title">The record</h2>
${json(toJson(record))}
${facts([
  ['Account', account(did, handle)],
  [
    'Address',
    html`<a href="${recordUrl(did, collection, rkey)}">${code(`at://${did}/${collection}/${rkey}`)}</a>`,
  ],
  ['CID', code(cid)],
  ['Rev', code(rev)],
])}
</section>`
}

function stopRow({ name, afterMs, position }: Stop, last: number): Html {
  const [title, about] = TITLES[name]
  const x = afterMs === undefined ? 0 : Math.max((afterMs / last) * WIDTH, ROW)
  return html`<li data-stop="${name}" data-arrived="${String(afterMs !== undefined)}">
<div><h2>${title}</h2><p class="quiet">${about}${place(name, position)}</p></div>
<p class="after">${afterMs === undefined ? 'not yet' : milliseconds(afterMs)}</p>
<svg viewBox="0 0 ${WIDTH} ${ROW}" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="way" width="${WIDTH}" height="${ROW}"/><rect class="gone" width="${x.toFixed(1)}" height="${ROW}"/></svg>
</li>\n`
}

function place(name: Stop['name'], position: number | undefined): Html | string {
  if (position === undefined) return ''
  if (name === 'relay' || name === 'jetstream')
    return html` · <a href="${eventUrl(name, position)}">${name === 'relay' ? `seq ${position}` : position}</a>`
  return ` · seq ${position}`
}
