import { type Did, isDid } from '@imago/syntax'
import { type HandleMethod, hasCode, MAX_ANSWER_BYTES } from './handle-method.ts'
import { IdentityError } from './identity-error.ts'
import { readBounded } from './read-bounded.ts'

const MAX_REDIRECTS = 3

/**
 * The way through `https://<handle>/.well-known/atproto-did`.
 * @see https://atproto.com/specs/handle#https-well-known-method
 */
export function createHttpsHandleMethod(fetch: typeof globalThis.fetch): HandleMethod {
  return async (handle, signal) => {
    let url = new URL(`https://${handle}/.well-known/atproto-did`)
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      let response: Response
      try {
        response = await fetch(url, { redirect: 'manual', signal, headers: { accept: 'text/plain' } })
      } catch (error) {
        // There is no such host, or it is one where we do not go: no DID to be had here.
        if (hasCode(error, 'ENOTFOUND') || hasCode(error, 'Refused')) return undefined
        throw error
      }
      const next = redirectOf(response, url)
      if (next === undefined) return await didFrom(response)
      await response.body?.cancel()
      if (next.protocol !== 'https:') return undefined
      url = next
    }
    return undefined
  }
}

function redirectOf(response: Response, from: URL): URL | undefined {
  const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null
  return (location === null ? null : URL.parse(location, from)) ?? undefined
}

async function didFrom(response: Response): Promise<Did | undefined> {
  if (!response.ok) {
    await response.body?.cancel()
    if (response.status >= 500 || response.status === 429) throw new Error(`status ${response.status}`)
    return undefined
  }
  try {
    // Parked domains answer 200 with a page: only a whole DID counts.
    const text = (await readBounded(response, MAX_ANSWER_BYTES)).trim()
    return isDid(text) ? text : undefined
  } catch (error) {
    if (error instanceof IdentityError && error.code === 'TooLarge') return undefined
    throw error
  }
}
