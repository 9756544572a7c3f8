import {
  createDidResolver,
  createDirectory,
  createHandleResolver,
  type Directory,
  type HandleMethod,
} from '@imago/identity'
import { createSafeFetch, resolveTxt } from '@imago/identity/node'

/**
 * Identities as a PDS asks for them: DID documents from the PLC directory and from hosts, handles by DNS and HTTPS.
 * @param options.plcUrl reached wherever it is; all other addresses must be public.
 * @param options.handleMethods asked before DNS and HTTPS, for networks that have no public names.
 */
export function createPdsDirectory(options: {
  plcUrl: string
  now: () => number
  handleMethods?: readonly HandleMethod[]
}): Directory & AsyncDisposable {
  const { plcUrl, now, handleMethods = [] } = options
  const { origin } = new URL(plcUrl)
  const fetch = createSafeFetch({ allow: (url) => url.origin === origin })
  const directory = createDirectory({
    dids: createDidResolver({ plcUrl, fetch }),
    handles: createHandleResolver({ resolveTxt, fetch, methods: handleMethods }),
    now,
  })
  return { ...directory, [Symbol.asyncDispose]: () => fetch.close() }
}
