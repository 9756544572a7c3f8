const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * The name of a host as a person or a PDS writes it, in one form: lower case, without scheme and path. Only on a
 * development network may it be `localhost`, and have a port.
 * @param text such as `pds.example.com`, `https://pds.example.com/` or `localhost:2583`.
 * @returns the name, or what is wrong with it.
 */
export function parseHostname(
  text: string,
  { allowInsecure }: { allowInsecure: boolean },
): { readonly hostname: string } | { readonly problem: string } {
  const bare = text
    .trim()
    .toLowerCase()
    .replace(/^(https?|wss?):\/\//, '')
    .replace(/\/$/, '')
  const [, name = bare, port] = /^([^:]*):(\d{1,5})$/.exec(bare) ?? []
  if (name === 'localhost') {
    if (!allowInsecure) return { problem: 'localhost is not a public host' }
    if (port !== undefined && !(Number(port) > 0 && Number(port) < 65_536))
      return { problem: `${port} is not a port` }
    return { hostname: port === undefined ? name : `${name}:${Number(port)}` }
  }
  if (port !== undefined) return { problem: 'a host has no port: only 443 is read' }
  const labels = name.split('.')
  if (/^[\d.]+$/.test(name) || name.includes(':') || name.startsWith('['))
    return { problem: 'an address is not a host name' }
  if (name.length > 253 || labels.length < 2 || !labels.every((label) => LABEL.test(label)))
    return { problem: 'not a host name such as pds.example.com' }
  if (/^\d/.test(labels.at(-1)!)) return { problem: 'a top-level domain does not begin with a digit' }
  return { hostname: name }
}

/** Whether a host, with its port or without, is this machine by name. */
export const isLoopbackHost = (host: string): boolean => /^localhost(:|$)/.test(host)

/** Where a host is reached: `http` on loopback, where nobody has certificates. */
export function originOfHost(hostname: string): string {
  return `${isLoopbackHost(hostname) ? 'http' : 'https'}://${hostname}`
}
