import type { JsonValue } from '@imago/data'
import { type Html, html } from '../html.ts'
import type { Kind } from '../streams/live-event.ts'

/** Names and values, one below the other. Values that are absent are left out with their names. */
export function facts(rows: readonly (readonly [name: string, value: Html | string | undefined])[]): Html {
  return html`<dl class="facts">
${rows
  .filter(([, value]) => value !== undefined && value !== '')
  .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`
}

/** An identifier: fixed-width, whole when it is copied, cut where there is no room. */
export const code = (text: string): Html => html`<code title="${text}">${text}</code>`

export const accountUrl = (did: string): string => `/accounts/${encodeURIComponent(did)}`
export const recordUrl = (did: string, collection: string, rkey: string): string =>
  `${accountUrl(did)}/${encodeURIComponent(collection)}/${encodeURIComponent(rkey)}`
export const eventUrl = (source: string, position: number): string => `/live/${source}/${position}`

/** An account by the name people know it by. */
export function account(did: string, handle: string | undefined): Html {
  return html`<a class="account" href="${accountUrl(did)}" title="${did}">${handle ?? did}</a>`
}

export const badge = (kind: Kind | 'post' | string): Html =>
  html`<span class="badge" data-kind="${kind}">${kind}</span>`

/** A moment, to the second, in UTC as the protocol tells it. */
export function moment(iso: string | undefined): Html {
  if (iso === undefined) return html`unknown`
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`
}

/** Whether something holds, in a word that does not need its colour. */
export function verdict(holds: boolean, words: Html | string): Html {
  return html`<p class="verdict" data-holds="${String(holds)}"><span aria-hidden="true">${holds ? '✓' : '✗'}</span> <span>${words}</span></p>`
}

export const problem = (message: string): Html => html`<p class="problem" role="alert">${message}</p>`

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g

/** JSON that a person can read: indented, its kinds of token told apart. */
export function json(value: JsonValue | undefined): Html {
  if (value === undefined) return html`<p class="quiet">It cannot be read as a record.</p>`
  const text = JSON.stringify(value, null, 2)
  const parts: (Html | string)[] = []
  let end = 0
  for (const match of text.matchAll(TOKENS)) {
    parts.push(text.slice(end, match.index))
    const [whole, string, colon, word, number] = match
    if (string !== undefined)
      parts.push(
        colon === undefined
          ? html`<span class="s">${string}</span>`
          : html`<span class="k">${string}</span>${colon}`,
      )
    else parts.push(html`<span class="${word === undefined ? 'n' : 'w'}">${word ?? number ?? ''}</span>`)
    end = match.index + whole.length
  }
  parts.push(text.slice(end))
  return html`<pre class="json" tabindex="0"><code>${parts}</code></pre>`
}

/** Links to what comes after a page of a list. */
export function pager(base: string, cursor: string | undefined, isFirst: boolean): Html | string {
  if (cursor === undefined && isFirst) return ''
  return html`<nav class="pager" aria-label="Pages">
${isFirst ? '' : html`<a href="${base}">First page</a>`}
${cursor === undefined ? '' : html`<a href="${base}?cursor=${encodeURIComponent(cursor)}" rel="next">Next page</a>`}
</nav>`
}

export const count = (n: number, noun: string): string =>
  `${n.toLocaleString('en')} ${n === 1 ? noun : `${noun}s`}`

/** `2.3 ms`, `41 ms`. */
export const milliseconds = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
