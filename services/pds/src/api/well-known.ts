import { type Did, type Handle, normalizeHandle, tryParseHandle } from '@imago/syntax'
import { Hono } from 'hono'
import type { Ports } from './ports.ts'

/** Everything outside of XRPC methods: documents that clients, crawlers and proxies look for at fixed places. */
export function wellKnown(
  ports: Pick<Ports, 'accounts' | 'server'> & {
    isHealthy: () => boolean
    version: string
    onUnexpectedError: (error: unknown) => void
  },
) {
  const { accounts, server, isHealthy, version, onUnexpectedError } = ports

  async function activeDid(handle: Handle | undefined): Promise<Did | undefined> {
    const account = handle && (await accounts.byHandle(normalizeHandle(handle)))
    return account?.status === undefined ? account?.did : undefined
  }

  return new Hono()
    .get('/', (context) =>
      context.text(
        `This is an AT Protocol personal data server (PDS), part of Imago.\n\nMost of its methods are under /xrpc/\nProtocol: https://atproto.com\n`,
      ),
    )
    .get('/robots.txt', (context) =>
      context.text('# Crawling the public methods is fine\nUser-agent: *\nAllow: /\n'),
    )
    .get('/xrpc/_health', (context) =>
      isHealthy()
        ? context.json({ version })
        : context.json({ version, error: 'the database does not answer' }, 503),
    )
    .get('/.well-known/atproto-did', async (context) => {
      const did = await activeDid(tryParseHandle(new URL(context.req.url).hostname))
      return did === undefined
        ? context.text('no account has this name here\n', 404)
        : context.body(did, 200, { 'content-type': 'text/plain', 'access-control-allow-origin': '*' })
    })
    .get('/.well-known/did.json', (context) => {
      if (server.did !== `did:web:${encodeURIComponent(new URL(server.publicUrl).host)}`)
        return context.text(`the DID of this server is ${server.did}\n`, 404)
      return context.json(
        {
          '@context': ['https://www.w3.org/ns/did/v1'],
          id: server.did,
          service: [
            { id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: server.publicUrl },
          ],
        },
        200,
        { 'access-control-allow-origin': '*' },
      )
    })
    .get('/tls-check', async (context) => {
      const domain = context.req.query('domain') ?? ''
      if (domain === new URL(server.publicUrl).hostname || (await activeDid(tryParseHandle(domain))))
        return context.json({ success: true })
      return context.json({ error: 'NotFound', message: 'no account has this name here' }, 404)
    })
    .onError((error, context) => {
      onUnexpectedError(error)
      return context.text('something went wrong here\n', 500)
    })
    .notFound((context) => context.text('nothing is here\n', 404))
}
