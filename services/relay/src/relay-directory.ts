import {
  createDidResolver,
  createDirectory,
  createHandleResolver,
  type Directory,
  type HandleMethod,
} from '@imago/identity'
import { resolveTxt, type SafeFetch } from '@imago/identity/node'

export interface RelayDirectoryOptions {
  readonly plcUrl: string
  readonly now: () => number
  /** Goes to hosts that strangers named, and must reach `plcUrl`. */
  readonly fetch: SafeFetch
  /** Asked before DNS and HTTPS, for networks that have no public names. */
  readonly handleMethods?: readonly HandleMethod[]
  /** DIDs to remember, and as many handles. Default: that of {@link createDirectory}. */
  readonly capacity?: number
}

/** Identities as a relay asks for them. */
export function createRelayDirectory(options: RelayDirectoryOptions): Directory {
  const { plcUrl, now, fetch, handleMethods = [], capacity } = options
  return createDirectory({
    dids: createDidResolver({ plcUrl, fetch }),
    handles: createHandleResolver({ resolveTxt, fetch, methods: handleMethods }),
    now,
    ...(capacity !== undefined && { capacity }),
  })
}
