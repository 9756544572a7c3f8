import type { ConfigDefinition } from '@imago/service'

interface Service {
  /** Completes "run …". */
  readonly description: string
  /** Its table of settings. */
  readonly settings: () => Promise<ConfigDefinition>
  /** The module that runs it from its environment when it is loaded. */
  readonly entryUrl: () => string
}

/** The services that `imago <name>` runs alone. They are loaded when asked for. */
export const SERVICES = {
  plc: {
    description: 'a PLC directory',
    settings: async () => (await import('@imago/plc')).plcConfig,
    entryUrl: () => entryBeside(import.meta.resolve('@imago/plc')),
  },
  pds: {
    description: 'a personal data server',
    settings: async () => (await import('@imago/pds')).pdsSettings,
    entryUrl: () => entryBeside(import.meta.resolve('@imago/pds')),
  },
  relay: {
    description: 'a relay',
    settings: async () => (await import('@imago/relay')).relayConfig,
    entryUrl: () => entryBeside(import.meta.resolve('@imago/relay')),
  },
  jetstream: {
    description: 'a Jetstream',
    settings: async () => (await import('@imago/jetstream')).jetstreamConfig,
    entryUrl: () => entryBeside(import.meta.resolve('@imago/jetstream')),
  },
} as const satisfies Record<string, Service>

export type ServiceName = keyof typeof SERVICES

/** `main` lies beside `index`: as .ts here, and as .js where the packages come from a registry. */
function entryBeside(packageUrl: string): string {
  return packageUrl.replace(/index(?=\.[jt]s$)/, 'main')
}
