import type { MiddlewareHandler } from 'hono'

/**
 * Everything a page uses comes from the console itself. Inline styles and scripts are refused, so that nothing that
 * slipped through as markup could do anything.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Sets the headers that browsers keep to. */
export const hardened: MiddlewareHandler = async (c, next) => {
  await next()
  const { headers } = c.res
  headers.set('content-security-policy', CONTENT_SECURITY_POLICY)
  headers.set('x-content-type-options', 'nosniff')
  // Not `no-referrer`: with it, forms of our own pages would come from the origin "null".
  headers.set('referrer-policy', 'same-origin')
  headers.set('cross-origin-opener-policy', 'same-origin')
  headers.set('cross-origin-resource-policy', 'same-origin')
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
}

const LOOPBACK_NAMES = /^(localhost|[a-z0-9-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * Keeps other sites out. A name that its owner points to this machine reaches the console, too (DNS rebinding): only
 * loopback's own names are answered. Forms come from our own pages only.
 */
export const guard: MiddlewareHandler = async (c, next) => {
  const { hostname, origin } = new URL(c.req.url)
  if (!LOOPBACK_NAMES.test(hostname))
    return c.text(`the console answers on this machine only, as localhost: not as ${hostname}\n`, 421)
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD' && c.req.header('origin') !== origin)
    return c.text(`a form has to come from ${origin}, not from ${c.req.header('origin') ?? 'nowhere'}\n`, 403)
  await next()
}
