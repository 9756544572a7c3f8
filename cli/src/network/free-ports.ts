import { createServer } from 'node:net'
import { CliError, EXIT } from '../cli-error.ts'
import { type Addresses, eachPart } from './addresses.ts'

const LOOPBACK = ['127.0.0.1', '::1'] as const
const OFFSET_STEP = 1000

/**
 * Makes sure that every port can be had, before anything is opened or changed.
 * @throws {CliError} naming every port that is in use, the likely cause and the way around it.
 */
export async function assertPortsFree(addresses: Addresses, portOffset: number): Promise<void> {
  const parts = eachPart(addresses)
  const inUse = await Promise.all(parts.map(({ address }) => isInUse(address.port)))
  const taken = parts.filter((_, i) => inUse[i])
  if (taken.length === 0) return
  const list = taken.map(({ title, address }) => `${address.port} (${title})`).join(', ')
  const one = taken.length === 1
  const cause =
    taken.length === parts.length
      ? `this network seems to run already: see ${addresses.console.url}`
      : one
        ? 'another program listens there'
        : 'other programs listen there, perhaps a part of another Imago'
  throw new CliError(
    EXIT.portInUse,
    `${one ? 'port' : 'ports'} ${list} ${one ? 'is' : 'are'} in use: ${cause}.\n` +
      `Stop ${one ? 'it' : 'them'}, or run a network of its own beside: imago up --port-offset ${portOffset + OFFSET_STEP}`,
  )
}

async function isInUse(port: number): Promise<boolean> {
  const taken = await Promise.all(LOOPBACK.map((host) => isTaken(host, port)))
  return taken.includes(true)
}

/** Only a definite "in use" counts: a machine without IPv6 has no such port, and no need of it. */
function isTaken(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'))
  server.listen({ host, port, exclusive: true, ipv6Only: host === '::1' }, () =>
    server.close(() => resolve(false)),
  )
  return promise
}
