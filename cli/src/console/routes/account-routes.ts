import type { Hono } from 'hono'
import type { ConsolePorts } from '../console-ports.ts'
import { proveRecord } from '../inspect/verified-record.ts'
import { accountPage } from '../pages/account-page.ts'
import { accountsPage } from '../pages/accounts-page.ts'
import { accountUrl } from '../pages/parts.ts'
import { collectionPage, recordPage } from '../pages/records-page.ts'
import { listAccounts, listCollection, readAccount, recordPath } from '../queries/accounts.ts'
import type { Render } from '../render.ts'

/** `GET /accounts`, one account, one of its collections, one of its records. */
export function accountRoutes(
  app: Hono,
  ports: Pick<ConsolePorts, 'services' | 'names' | 'summaries' | 'fetch'>,
  render: Render,
): void {
  const { names } = ports

  app.get('/accounts', async (c) => {
    const cursor = c.req.query('cursor')
    const page = await listAccounts(ports, cursor)
    return c.html(
      render({ title: 'Accounts', section: 'accounts', body: accountsPage(page, cursor === undefined) }),
    )
  })

  app.get('/accounts/:did', async (c) => {
    const did = c.req.param('did')
    const named = await names.didOf(did)
    if (named !== undefined) return c.redirect(accountUrl(named))
    const account = await readAccount(ports, did)
    return c.html(
      render({ title: account.handle ?? account.did, section: 'accounts', body: accountPage(account) }),
    )
  })

  app.get('/accounts/:did/:collection', async (c) => {
    const { did, collection } = c.req.param()
    const cursor = c.req.query('cursor')
    const records = await listCollection(ports, did, collection, cursor)
    const place = { did, collection, handle: await names.handleOf(did) }
    return c.html(
      render({
        title: collection,
        section: 'accounts',
        body: collectionPage(place, records, cursor === undefined),
      }),
    )
  })

  app.get('/accounts/:did/:collection/:rkey', async (c) => {
    const { did, collection, rkey } = c.req.param()
    const path = recordPath(collection, rkey)
    const proven = await proveRecord(did, path, ports).catch((error) => ({ failed: String(error.message) }))
    const place = { did, collection, handle: await names.handleOf(did) }
    const status = 'failed' in proven ? 502 : proven.found ? 200 : 404
    return c.html(render({ title: path, section: 'accounts', body: recordPage(place, rkey, proven) }), status)
  })
}
