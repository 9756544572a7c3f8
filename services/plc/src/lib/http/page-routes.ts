import { isDidPlc } from '@imago/identity/plc'
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { explainStored } from '../alerts/key-alert.ts'
import { type Html, PAGE_HEADERS, page, STYLE_PATH, STYLE_SHEET } from '../pages/page.ts'
import { timelinePage } from '../pages/timeline-page.ts'
import type { PlcStore } from '../store/plc-store.ts'
import { BANNER } from './about-routes.ts'
import { notRegistered } from './answers.ts'

/** Pages for people: the front one, and the history of a DID at `/:did/history`. Programs get text at `/`. */
export function pageRoutes(app: Hono, store: PlcStore, now: () => number): void {
  app.get(STYLE_PATH, (c) =>
    c.body(STYLE_SHEET, 200, {
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=3600',
    }),
  )

  app.get('/', async (c) => {
    const asked = c.req.query('did')?.trim()
    if (asked !== undefined && isDidPlc(asked)) return c.redirect(`/${asked}/history`)
    if (!wantsPage(c)) return c.text(BANNER)
    return send(c, frontPage(asked))
  })

  app.get('/:did/history', async (c) => {
    const did = c.req.param('did')
    const told = await explainStored(store, did)
    const withdrawals = await store.withdrawals(did)
    if (told.length + withdrawals.length === 0) {
      if (!wantsPage(c)) throw notRegistered(did)
      return send(c, frontPage(did, 'Nobody has registered that DID here.'), 404)
    }
    return send(c, timelinePage(did, told, withdrawals, now()))
  })
}

const wantsPage = (c: Context): boolean => /\btext\/html\b/.test(c.req.header('accept') ?? '')

function frontPage(asked: string | undefined, complaint?: string): Html {
  const said =
    complaint ?? (asked && 'A DID of this directory is did:plc: and 24 characters of a to z and 2 to 7.')
  return page(
    'PLC directory',
    html`<h1>PLC directory</h1>
      <p class="muted">Identities that nobody can take from their keys. Look one up to see how it came to be what it is.</p>
      <form action="/" method="get" role="search">
        <input name="did" aria-label="DID" placeholder="did:plc:…" value="${asked ?? ''}" required spellcheck="false" autocapitalize="off" autocomplete="off" />
        <button>Look up</button>
      </form>
      ${said && html`<p class="reason" role="alert">${said}</p>`}
      <p class="muted">For programs: <a href="/_health">health</a>, <a href="/export?count=10">export</a>, <a href="/log/checkpoint">transparency log</a>.</p>`,
  )
}

async function send(c: Context, markup: Html, status: 200 | 404 = 200): Promise<Response> {
  return c.html(await markup, status, { ...PAGE_HEADERS, 'cache-control': 'no-cache' })
}
