import { isIPv4, isIPv6 } from 'node:net'

/** Submissions from one place. */
export interface AddressLimits {
  /** Submissions that the window holds. */
  readonly max: number
  /** How long until the place may submit again, in milliseconds; 0 when it may now. Counts nothing. */
  waitMs(place: string): number
  /** @returns what takes it back: for whatever comes to nothing after all. */
  count(place: string): () => void
}

/** Places that are remembered: the oldest are forgotten first. */
const MAX_PLACES = 100_000

/** So many submissions in a window that slides with the first of them. @param now milliseconds since the Unix epoch. */
export function createAddressLimits(options: {
  readonly max: number
  readonly windowMs: number
  readonly now: () => number
}): AddressLimits {
  const { max, windowMs, now } = options
  const places = new Map<string, { since: number; count: number }>()
  return {
    max,
    waitMs(place) {
      const known = places.get(place)
      if (known === undefined || known.count < max) return 0
      return Math.max(0, known.since + windowMs - now())
    },
    count(place) {
      const known = places.get(place)
      const isRunning = known !== undefined && now() < known.since + windowMs
      const window = isRunning ? known : { since: now(), count: 0 }
      window.count++
      if (!isRunning) {
        places.delete(place)
        if (places.size >= MAX_PLACES) places.delete(places.keys().next().value!)
        places.set(place, window)
      }
      return () => {
        window.count--
      }
    },
  }
}

/**
 * Who sends a request: the peer or, where a proxy of the same machine or network stands before us, the last address
 * that it vouches for. Addresses of IPv6 count by their /64, which is one customer.
 */
export function placeOf(remoteAddress: string | undefined, forwardedFor: string | undefined): string {
  const peer = (remoteAddress ?? '').replace(/^::ffff:/, '')
  const forwarded = forwardedFor?.split(',').at(-1)?.trim()
  const address = forwarded !== undefined && isNear(peer) ? forwarded : peer
  if (isIPv4(address)) return address
  return isIPv6(address) ? networkOf(address) : peer
}

/** Loopback, link-local and private networks. */
const isNear = (address: string): boolean =>
  /^(127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.)/.test(address) ||
  /^(::1$|f[cd]|fe[89ab])/i.test(address)

/** The first four groups. */
function networkOf(address: string): string {
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  const end = tail?.split(':').filter((group) => group !== '') ?? []
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - end.length) }, () => '0')
  const all = tail === undefined ? groups : [...groups, ...zeros, ...end]
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
