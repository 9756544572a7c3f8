import { choice, defineConfig, text } from '@imago/service'

/** Settings of `imago up`, beside what its command line says. */
export const networkSettings = defineConfig('IMAGO_', {
  data: {
    env: 'IMAGO_DATA',
    kind: text,
    doc: 'Folder of everything that the network keeps, its keys included. Default: ./data, and with --port-offset N ./data/port-offset-N, so that two networks can run side by side.',
  },
  logLevel: {
    env: 'IMAGO_LOG_LEVEL',
    kind: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'warn',
    doc: 'Least severe lines that are logged.',
  },
})
