import type { PlcTree } from './plc-store.ts'

/** What a store has that keeps no transparency log. */
export const NO_PLC_TREE: PlcTree = {
  checkpoint: async () => undefined,
  hashes: async () => new Uint8Array(0),
  entries: async () => [],
  indexOf: async (seq) => seq - 1,
}
