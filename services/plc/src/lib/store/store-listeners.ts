import type { PlcStore, StoredOperation, StoreListener, Withdrawal } from './plc-store.ts'

/** Who hears of what a store has committed. */
export interface StoreListeners {
  readonly subscribe: PlcStore['subscribe']
  /** To be called when it can be read. Of nothing, nobody hears. */
  announce(operations: readonly StoredOperation[], withdrawals?: readonly Withdrawal[]): void
}

export function createStoreListeners(): StoreListeners {
  const listeners = new Set<StoreListener>()
  return {
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    announce(operations, withdrawals = []) {
      if (operations.length + withdrawals.length === 0) return
      for (const listener of listeners) listener(operations, withdrawals)
    },
  }
}
