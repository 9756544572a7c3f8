import { join } from 'node:path'
import { parseCheckpoint, readEntryBundle, tileAt } from '@imago/tlog'
import { createDurableFile } from '../durable-file.ts'
import { openSqlitePlcStore } from '../store/sqlite-plc-store.ts'
import { decodeLogEntry } from '../transparency/log-entry.ts'
import { growUnsigned } from '../transparency/tree-growth.ts'
import { type AuditOptions, type AuditReport, audit } from './audit.ts'
import { createDirectoryClient, type DirectoryClient } from './directory-client.ts'

/** An auditor that remembers what it has verified. */
export interface Auditor extends AsyncDisposable {
  /** One audit, as {@link audit}. */
  audit(): Promise<AuditReport>
}

/**
 * @param options.folder keeps the replay and the checkpoint that was verified last. It has to exist.
 * @param options.url of the directory.
 */
export async function openAuditor(
  options: Omit<AuditOptions, 'client' | 'store' | 'state'> & {
    readonly url: string
    readonly folder: string
    readonly fetch: typeof fetch
  },
): Promise<Auditor> {
  const { url, folder, now } = options
  const client = createDirectoryClient(url, options.fetch)
  const state = createDurableFile(join(folder, 'verified.checkpoint'))
  let opened: ReturnType<typeof openSqlitePlcStore> | undefined
  const open = (databaseFile: string, isReplica: boolean) =>
    openSqlitePlcStore({ databaseFile, now, growTree: growUnsigned, isReplica })
  return {
    async audit() {
      if (opened === undefined) {
        const isReplica = await isObserved(client)
        if (isReplica === undefined) {
          // What cannot be read is for the audit to judge, and to leave no trace in what is kept.
          await using forgotten = open(':memory:', false)
          return await audit({ ...options, client, state, store: forgotten })
        }
        opened = open(join(folder, 'replay.sqlite'), isReplica)
      }
      return await audit({ ...options, client, state, store: opened })
    },
    [Symbol.asyncDispose]: async () => await opened?.[Symbol.asyncDispose](),
  }
}

/**
 * Whether the log is that of an observer: its entries say which numbers they have in the directory that it observes.
 * Nothing of it is verified yet. `undefined` where nothing can be read.
 */
async function isObserved(client: DirectoryClient): Promise<boolean | undefined> {
  try {
    const { checkpoint } = parseCheckpoint(await client.checkpoint())
    const bundle = tileAt(checkpoint.size, 0, 0)
    if (bundle === undefined) return false
    const [first] = readEntryBundle(await client.bundle(bundle), bundle.width)
    return decodeLogEntry(first!).upstreamSeq !== undefined
  } catch {
    return undefined
  }
}
