import type { ServiceUrls } from './service-urls.ts'

/**
 * A `fetch` that reaches the services of the network and nobody else, so that no DID document or handle, which anybody
 * may write, sends the console elsewhere.
 */
export function createNetworkFetch(services: ServiceUrls): typeof fetch {
  const origins = new Set(Object.values(services).map((url: string) => new URL(url).origin))
  return async (input, init) => {
    const { origin } = new URL(input instanceof Request ? input.url : input)
    if (!origins.has(origin))
      throw new TypeError(`${origin} is not in this network: the console does not go there`)
    return fetch(input, init)
  }
}
