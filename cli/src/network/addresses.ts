/** Ports of the development network where nothing moves them. */
const PORTS = { console: 2580, plc: 2582, pds: 2583, relay: 2470, jetstream: 6008 } as const

export type PartName = keyof typeof PORTS

/** How people call the parts, in the order in which an event passes through them. */
export const PART_TITLES: Readonly<Record<PartName, string>> = {
  console: 'Console',
  plc: 'PLC directory',
  pds: 'PDS',
  relay: 'Relay',
  jetstream: 'Jetstream',
}

/** Where a part listens. */
export interface Address {
  readonly port: number
  /** `http://localhost:2583`: the name, not a number, because accounts carry it in their DID documents. */
  readonly url: string
}

export type Addresses = Readonly<Record<PartName, Address>>

/** The addresses of a network whose ports are moved by `portOffset`. */
export function addressesAt(portOffset: number): Addresses {
  const at = (port: number): Address => ({
    port: port + portOffset,
    url: `http://localhost:${port + portOffset}`,
  })
  return {
    console: at(PORTS.console),
    plc: at(PORTS.plc),
    pds: at(PORTS.pds),
    relay: at(PORTS.relay),
    jetstream: at(PORTS.jetstream),
  }
}

/** Every part with its address, in the order of {@link PART_TITLES}. */
export function eachPart(addresses: Addresses): { name: PartName; title: string; address: Address }[] {
  return (Object.keys(PART_TITLES) as PartName[]).map((name) => ({
    name,
    title: PART_TITLES[name],
    address: addresses[name],
  }))
}
