import type { XrpcServerOptions } from '@imago/xrpc/server'
import { getHostStatus } from './com.atproto.sync/getHostStatus.ts'
import { getLatestCommit } from './com.atproto.sync/getLatestCommit.ts'
import { getRepo } from './com.atproto.sync/getRepo.ts'
import { getRepoStatus } from './com.atproto.sync/getRepoStatus.ts'
import { listHosts } from './com.atproto.sync/listHosts.ts'
import { listRepos } from './com.atproto.sync/listRepos.ts'
import { requestCrawl } from './com.atproto.sync/requestCrawl.ts'
import { subscribeRepos } from './com.atproto.sync/subscribeRepos.ts'
import type { Ports } from './ports.ts'

/** Every method that is served. All others of the protocol are a PDS's, and answer 501. */
export function routes(ports: Ports): XrpcServerOptions['methods'] {
  return [
    getHostStatus(ports),
    getLatestCommit(ports),
    getRepo(ports),
    getRepoStatus(ports),
    listHosts(ports),
    listRepos(ports),
    requestCrawl(ports),
    subscribeRepos(ports),
  ]
}
