import { readFileSync } from 'node:fs'
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

/** Markup that may stand in a page: whatever was put into it has been escaped. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

export const STYLE_SHEET = readFileSync(new URL('./directory.css', import.meta.url), 'utf8')
export const STYLE_PATH = '/_style.css'

/** What a page may do: nothing but be looked at. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
}

export const page = (title: string, body: Html): Html => html`<!doctype html>
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${title}</title>
      <link rel="stylesheet" href="${STYLE_PATH}" />
    </head>
    <body>${body}</body>
  </html>`
