import {
  createDidResolver,
  createDirectory,
  createHandleResolver,
  createMemoryHistory,
  type DidWebAlarm,
  type DidWebHistory,
  type Directory,
  type HandleMethod,
  withDidWebHistory,
} from '@imago/identity'
import { createSafeFetch, resolveTxt, type SafeFetch } from '@imago/identity/node'
import type { Did } from '@imago/syntax'

export interface PdsDirectory extends Directory, AsyncDisposable {
  /**
   * From now on, what hosts say about their did:webs is kept there. A directory is made before the server whose file
   * outlives a restart; until it is told, it remembers in memory.
   */
  rememberIn(history: DidWebHistory): void
}

/**
 * Identities as a PDS asks for them: DID documents from the PLC directory and from hosts, handles by DNS and HTTPS.
 * @param options.plcUrl reached wherever it is; all other addresses must be public.
 * @param options.onAlarm told when a did:web has another key, server or handle than it had, or none any more.
 * @param options.fetch closed with the directory. Default: one that goes to public addresses, and to `plcUrl`.
 * @param options.handleMethods asked before DNS and HTTPS, for networks that have no public names.
 */
export function createPdsDirectory(options: {
  plcUrl: string
  now: () => number
  fetch?: SafeFetch
  handleMethods?: readonly HandleMethod[]
  onAlarm?: (did: Did, alarm: DidWebAlarm) => void
}): PdsDirectory {
  const { plcUrl, now, handleMethods = [], onAlarm = () => {} } = options
  const { origin } = new URL(plcUrl)
  const { fetch = createSafeFetch({ allow: (url) => url.origin === origin }) } = options
  let history = createMemoryHistory()
  const directory = createDirectory({
    dids: withDidWebHistory(createDidResolver({ plcUrl, fetch }), {
      history: { last: (did) => history.last(did), put: (did, seen) => history.put(did, seen) },
      now,
      onAlarm,
    }),
    handles: createHandleResolver({ resolveTxt, fetch, methods: handleMethods }),
    now,
  })
  return {
    ...directory,
    rememberIn(durable) {
      history = durable
    },
    [Symbol.asyncDispose]: () => fetch.close(),
  }
}
