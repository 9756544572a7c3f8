import { promises as dns } from 'node:dns'
import type { ResolveTxt } from './dns-handle-method.ts'

export interface TxtResolverOptions {
  /** For one try at one server. Default 3000. */
  readonly timeoutMs?: number
  /** Name servers as `address` or `address:port`; default those of the system. */
  readonly servers?: readonly string[]
}

/** Looks up TXT records; a name without any gives an empty list. Rejects when no server answers. */
export function createTxtResolver({ timeoutMs = 3000, servers }: TxtResolverOptions = {}): ResolveTxt {
  const resolver = new dns.Resolver({ timeout: timeoutMs, tries: 1 })
  if (servers !== undefined) resolver.setServers([...servers])
  return async (name) => {
    try {
      return await resolver.resolveTxt(name)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === dns.NOTFOUND || code === dns.NODATA) return []
      throw error
    }
  }
}

let system: ResolveTxt | undefined

/** {@link createTxtResolver} over the system's name servers. */
export const resolveTxt: ResolveTxt = (name) => {
  system ??= createTxtResolver()
  return system(name)
}
