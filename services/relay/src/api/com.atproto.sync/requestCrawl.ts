import { com } from '@imago/atproto'
import { forbidden, invalidRequest, rateLimited } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { parseHostname } from '../../hosts/hostname.ts'
import type { Ports } from '../ports.ts'

const DAY_MS = 24 * 60 * 60_000

/** A host asks to be read. One that is known already is dialled at once, if it had been given up. */
export const requestCrawl = ({
  hosts,
  askHost,
  state,
  crawling,
  now,
}: Pick<Ports, 'hosts' | 'askHost' | 'state' | 'crawling' | 'now'>) => {
  const assertRoom = () => {
    if (state.countHostsSince(now() - DAY_MS) < crawling.newHostsPerDay) return
    throw rateLimited(60 * 60, `${crawling.newHostsPerDay} new hosts came within 24 hours: try again later`)
  }

  return method(com.atproto.sync.requestCrawl.main, async ({ input, request }) => {
    if (!crawling.open) throw forbidden('this relay takes no requests: its operator adds hosts')
    const given = JSON.stringify(input.hostname.slice(0, 253))
    const parsed = parseHostname(input.hostname, crawling)
    if ('problem' in parsed) throw invalidRequest(`hostname ${given}: ${parsed.problem}`)
    const { hostname } = parsed
    if (hostname === new URL(request.url).host) throw invalidRequest(`${hostname} is this relay itself`)

    const known = hosts.find(hostname)
    if (known?.status === 'banned') throw banned(hostname)
    if (known !== undefined) return hosts.wake(hostname)
    assertRoom()

    const check = await askHost.check(hostname)
    if (check === 'relay') {
      hosts.ban(hostname)
      throw banned(hostname, 'it is a relay, and relays that read each other go round in circles')
    }
    if (check !== 'fine') throw invalidRequest(`${hostname}: ${check.problem}`, 'HostNotFound')
    // Others may have come while this one was being looked at.
    assertRoom()
    hosts.add(hostname)
  })
}

const banned = (hostname: string, why = 'the operator, or a look at it, decided so') =>
  invalidRequest(`${hostname} is not read: ${why}`, 'HostBanned')
