import { type DidDocument, IdentityError } from '@imago/identity'
import {
  acceptOperation,
  createLog,
  documentOf,
  type Operation,
  type PlcLog,
  stateOf,
} from '@imago/identity/plc'
import type { Did } from '@imago/syntax'
import { type PlcClient, PlcClientError } from '../src/identity/plc-client.ts'

/** A PLC directory in memory that judges operations as a real one does. */
export interface FakePlc extends PlcClient {
  /** Operations of a DID, oldest first. */
  operations(did: Did): readonly Operation[]
  /** @throws {IdentityError} */
  document(did: Did): DidDocument
  readonly dids: readonly Did[]
  /** The next submissions fail with this, one after the other. */
  readonly failures: PlcClientError[]
}

export function createFakePlc(now: () => number): FakePlc {
  const logs = new Map<Did, PlcLog>()
  const failures: PlcClientError[] = []
  let lastTime = 0
  return {
    failures,
    get dids() {
      return [...logs.keys()]
    },
    async submit(did, operation) {
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      const log = logs.get(did) ?? createLog(did)
      lastTime = Math.max(now(), lastTime + 1)
      try {
        acceptOperation(log, operation, lastTime)
      } catch (error) {
        throw new PlcClientError((error as Error).message, 400)
      }
      logs.set(did, log)
    },
    async data(did) {
      const state = logs.has(did) ? stateOf(logs.get(did)!) : undefined
      if (state === undefined) throw new PlcClientError(`no ${did} in the fake directory`, 404)
      return state
    },
    async signingKeys(did) {
      const entries = logs.get(did)?.entries
      if (entries === undefined) throw new PlcClientError(`no ${did} in the fake directory`, 404)
      return entries.flatMap(({ operation }) =>
        operation.type === 'plc_operation' ? (operation.verificationMethods['atproto'] ?? []) : [],
      )
    },
    operations: (did) => logs.get(did)?.entries.map(({ operation }) => operation) ?? [],
    document(did) {
      const log = logs.get(did)
      const state = log && stateOf(log)
      if (state === undefined) throw new IdentityError('DidNotFound', `no ${did} in the fake directory`)
      return documentOf(state)
    },
  }
}
