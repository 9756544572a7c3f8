import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  type Config,
  choice,
  defineConfig,
  listenAddress,
  port,
  readOrCreateSecret,
  text,
} from '@imago/service'
import { parseTrustPolicy } from '@imago/tlog'
import type { WitnessOptions } from './lib/create-witness.ts'

/** Settings of the witness. */
export const witnessConfig = defineConfig('WITNESS_', {
  port: { env: 'WITNESS_PORT', kind: port, default: 2590, doc: 'Port to listen on.' },
  hostname: {
    env: 'WITNESS_HOSTNAME',
    kind: text,
    doc: 'Interface to listen on, such as localhost. Every interface, if not set.',
  },
  name: {
    env: 'WITNESS_NAME',
    kind: text,
    required: true,
    doc: 'Name of the witness in its signatures: its public address without the scheme, such as witness.example.org. Never to change.',
  },
  logsFile: {
    env: 'WITNESS_LOGS_FILE',
    kind: text,
    required: true,
    doc: 'File that names the logs whose checkpoints are cosigned: lines of `log <vkey>`, after c2sp.org/tlog-policy.',
  },
  databaseFile: {
    env: 'WITNESS_DATABASE_FILE',
    kind: text,
    default: 'data/witness/witness.sqlite',
    doc: 'Path of the database: what was cosigned last. Never restore an older one, which would let a log show two histories.',
  },
  secretFile: {
    env: 'WITNESS_SECRET_FILE',
    kind: text,
    doc: 'File with the secret of the keys, made if absent. Default: witness.secret beside the database.',
  },
  logLevel: {
    env: 'WITNESS_LOG_LEVEL',
    kind: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
    doc: 'Least severe lines that are logged.',
  },
  metricsListen: {
    env: 'WITNESS_METRICS_LISTEN',
    kind: listenAddress,
    doc: 'Where to answer /metrics for Prometheus, such as 127.0.0.1:9590. Nowhere, if not set.',
  },
})

/**
 * What `createWitness` makes of the settings. Reads the files that they name.
 * @throws {Error} when one of them cannot be read, {@link TlogError} when the list of logs is none.
 */
export function witnessOptionsOf(config: Config<typeof witnessConfig>): Omit<WitnessOptions, 'now'> {
  const { name, databaseFile, logsFile, secretFile } = config
  const lines = readFileSync(logsFile, 'utf8')
  // A list of logs is a policy that demands nobody.
  const policy = parseTrustPolicy(/^\s*quorum\s/m.test(lines) ? lines : `${lines}\nquorum none\n`)
  return {
    name,
    databaseFile,
    seed: readOrCreateSecret(secretFile ?? join(dirname(databaseFile), 'witness.secret')),
    logs: policy.logs.map(({ key }) => key),
  }
}
