import { parseTrustPolicy, type TrustPolicy } from '@imago/tlog'
import { createDurableFile, createDurableMemory } from '../durable-file.ts'
import type { PlcStore } from '../store/plc-store.ts'
import type { LogKeys } from './log-keys.ts'
import { type Publishing, startPublishing } from './publishing.ts'
import { openTransparencyLog, type TransparencyLog } from './transparency-log.ts'
import { createWitnessClient } from './witness-client.ts'

export interface TransparencyOptions {
  /** Name of the log: an address without its scheme, such as `plc.example.org/log`. Never to change. */
  readonly origin: string
  /** Secret of the log's keys, 32 bytes. */
  readonly seed: Uint8Array
  /** Where the published checkpoint is kept, apart from the database. Default: nowhere, for a log that is forgotten. */
  readonly checkpointFile?: string | undefined
  /** Witnesses with their addresses, and how many of them a checkpoint needs. Default: none. */
  readonly policy?: TrustPolicy | undefined
  /** Goes to the witnesses. Default: the platform's. */
  readonly fetch?: typeof fetch
  /** Between two checkpoints. */
  readonly intervalMs?: number
}

/** The log of a directory, and what publishes it. */
export interface Transparency extends AsyncDisposable {
  readonly log: TransparencyLog
  readonly publishing: Publishing
}

/** @throws {Error} as `openTransparencyLog`. */
export async function openTransparency(
  options: TransparencyOptions & {
    readonly store: PlcStore
    readonly keys: LogKeys
    readonly now: () => number
    readonly logger:
      | { error(fields: object, message: string): void; warn?(fields: object, message: string): void }
      | undefined
  },
): Promise<Transparency> {
  const { store, keys, now, logger, checkpointFile, intervalMs } = options
  const own = keys.ed25519.verifier
  const demanded = options.policy ?? parseTrustPolicy('quorum none')
  const log = await openTransparencyLog({
    store,
    keys,
    now,
    file: checkpointFile === undefined ? createDurableMemory() : createDurableFile(checkpointFile),
    witnesses: demanded.witnesses
      .filter((witness) => witness.url !== undefined)
      .map((witness) => createWitnessClient({ ...witness, url: witness.url! }, options.fetch ?? fetch)),
    policy: { ...demanded, logs: [{ key: own, url: undefined }] },
    onUnwitnessed: (witness, error) =>
      logger?.warn?.({ witness, err: error }, 'a checkpoint was not cosigned'),
  })
  const publishing = startPublishing(log, {
    subscribe: store.subscribe,
    onFailure: (error) => logger?.error({ err: error }, 'the transparency log could not publish'),
    ...(intervalMs !== undefined && { intervalMs }),
  })
  return { log, publishing, [Symbol.asyncDispose]: () => publishing[Symbol.asyncDispose]() }
}
