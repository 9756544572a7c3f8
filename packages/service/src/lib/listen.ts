import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server could not listen. The message names the address and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  /** Of the operating system, such as `EADDRINUSE`. */
  readonly code: string
  readonly port: number

  constructor(code: string, port: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.port = port
  }
}

const LOOPBACK = ['127.0.0.1', '::1'] as const
/** What a machine without IPv6 answers to `::1`. */
const NO_SUCH_FAMILY = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']
const ATTEMPTS = 10

/**
 * Listens on one address; on both families of loopback for `localhost`, because a client may try either, and on every
 * interface without a hostname. Returns the servers that listen, all on the same port.
 * @param setting name of the setting to change, for the message
 * @throws {ListenError}
 */
export async function listen(
  createServer: () => Server,
  { hostname, port, setting }: { hostname: string | undefined; port: number; setting: string | undefined },
): Promise<{ servers: Server[]; port: number }> {
  const advise = (error: unknown) => listenError(error, hostname, port, setting)
  if (hostname !== 'localhost') {
    const server = await open(createServer(), hostname, port).catch(advise)
    return { servers: [server], port: portOf(server) }
  }
  for (let attempt = 1; ; attempt++) {
    const first = await open(createServer(), LOOPBACK[0], port).catch(advise)
    try {
      const second = await open(createServer(), LOOPBACK[1], portOf(first))
      return { servers: [first, second], port: portOf(first) }
    } catch (error) {
      if (NO_SUCH_FAMILY.includes(codeOf(error))) return { servers: [first], port: portOf(first) }
      await new Promise((resolve) => first.close(resolve))
      // The port that the system chose for one family may be taken on the other: let it choose again.
      if (port !== 0 || attempt === ATTEMPTS) return advise(error)
    }
  }
}

function open(server: Server, hostname: string | undefined, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: hostname, ipv6Only: hostname === '::1' }, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN'
}

function listenError(
  cause: unknown,
  hostname: string | undefined,
  port: number,
  setting: string | undefined,
): never {
  const code = codeOf(cause)
  const change = setting ? `set ${setting} to another` : 'choose another'
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} is in use: stop the program that holds it, or ${change} port`,
    EACCES: `port ${port} needs a privilege that this user lacks: ${change}, from 1024 up`,
    EADDRNOTAVAIL: `this machine has no address '${hostname}': listen on localhost or leave the hostname out`,
    ENOTFOUND: `the name '${hostname}' has no address: listen on localhost or leave the hostname out`,
  }
  const reason = reasons[code] ?? (cause instanceof Error ? cause.message : String(cause))
  throw new ListenError(code, port, `cannot listen on ${hostname ?? 'every interface'}: ${reason}`, { cause })
}
