import type { ConfigDefinition } from '@imago/service'

interface Service {
  /** Completes "run …". */
  readonly description: string
  /** Its table of settings. */
  readonly settings: () => Promise<ConfigDefinition>
  /** Runs it from its environment until it is told to stop; leaves its exit code in `process.exitCode`. */
  readonly run: () => Promise<unknown>
}

/** The services that `imago <name>` runs alone. They are loaded when asked for. */
export const SERVICES = {
  plc: {
    description: 'a PLC directory',
    settings: async () => (await import('@imago/plc')).plcConfig,
    run: () => import('@imago/plc/main'),
  },
  pds: {
    description: 'a personal data server',
    settings: async () => (await import('@imago/pds')).pdsSettings,
    run: () => import('@imago/pds/main'),
  },
  relay: {
    description: 'a relay',
    settings: async () => (await import('@imago/relay')).relayConfig,
    run: () => import('@imago/relay/main'),
  },
  jetstream: {
    description: 'a Jetstream',
    settings: async () => (await import('@imago/jetstream')).jetstreamConfig,
    run: () => import('@imago/jetstream/main'),
  },
  witness: {
    description: 'a witness of transparency logs',
    settings: async () => (await import('@imago/witness')).witnessConfig,
    run: () => import('@imago/witness/main'),
  },
} as const satisfies Record<string, Service>

export type ServiceName = keyof typeof SERVICES
