import {
  createDidResolver,
  createDirectory,
  createHandleResolver,
  createMemoryHistory,
  type DidWebAlarm,
  type Directory,
  type HandleMethod,
  withDidWebHistory,
} from '@imago/identity'
import { createSafeFetch, resolveTxt } from '@imago/identity/node'
import type { Did } from '@imago/syntax'

/**
 * Identities as a PDS asks for them: DID documents from the PLC directory and from hosts, handles by DNS and HTTPS.
 * @param options.plcUrl reached wherever it is; all other addresses must be public.
 * @param options.onAlarm told when a did:web has another key, server or handle than it had, or none any more.
 * @param options.handleMethods asked before DNS and HTTPS, for networks that have no public names.
 */
export function createPdsDirectory(options: {
  plcUrl: string
  now: () => number
  handleMethods?: readonly HandleMethod[]
  onAlarm?: (did: Did, alarm: DidWebAlarm) => void
}): Directory & AsyncDisposable {
  const { plcUrl, now, handleMethods = [], onAlarm = () => {} } = options
  const { origin } = new URL(plcUrl)
  const fetch = createSafeFetch({ allow: (url) => url.origin === origin })
  const directory = createDirectory({
    dids: withDidWebHistory(createDidResolver({ plcUrl, fetch }), {
      history: createMemoryHistory(),
      now,
      onAlarm,
    }),
    handles: createHandleResolver({ resolveTxt, fetch, methods: handleMethods }),
    now,
  })
  return { ...directory, [Symbol.asyncDispose]: () => fetch.close() }
}
