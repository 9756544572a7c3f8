import { BlockList, isIPv4, isIPv6 } from 'node:net'

// What is not reached over the public internet, or reaches something else than it names.
// https://www.iana.org/assignments/iana-ipv4-special-registry
const BLOCKED_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]

// Only 2000::/3 is global unicast. So loopback, ULA, link-local, multicast, v4-mapped and NAT64 need no line of their
// own; the special blocks inside it do: 2001::/23 with Teredo and ORCHID, documentation, 6to4.
// https://www.iana.org/assignments/iana-ipv6-special-registry
const GLOBAL_V6 = ['2000::/3']
const BLOCKED_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const blockedV4 = blockList(BLOCKED_V4, 'ipv4')
const globalV6 = blockList(GLOBAL_V6, 'ipv6')
const blockedV6 = blockList(BLOCKED_V6, 'ipv6')

/**
 * Whether an address, in the text form that a resolver gives, belongs to a host on the public internet. Everything
 * that is not plainly one is not: octal and short forms, zones, addresses that carry another address.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !blockedV4.check(address, 'ipv4')
  if (!isIPv6(address) || address.includes('%')) return false
  return globalV6.check(address, 'ipv6') && !blockedV6.check(address, 'ipv6')
}

function blockList(subnets: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [network, prefix] = subnet.split('/') as [string, string]
    list.addSubnet(network, Number(prefix), family)
  }
  return list
}
