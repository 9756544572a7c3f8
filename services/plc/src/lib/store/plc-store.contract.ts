import test from 'node:test'
import { commitContract } from './contract/commit.contract.ts'
import type { ContractTest, PlcStoreHarness } from './contract/plc-store.fixture.ts'
import { readsContract } from './contract/reads.contract.ts'
import { replayContract } from './contract/replay.contract.ts'
import { treeContract } from './contract/tree.contract.ts'
import { withdrawalContract } from './contract/withdrawal.contract.ts'

/** Runs a body as a test, or leaves it out where something is missing. */
type DefineTest = (title: string, body: () => Promise<void>) => void

/** The suite that every adapter of the PlcStore port passes. */
export function plcStoreContract(
  adapter: string,
  harness: () => Promise<PlcStoreHarness>,
  defineTest: DefineTest = (title, body) => void test(title, body),
): void {
  const contractTest: ContractTest = (title, body) =>
    defineTest(`${adapter}: ${title}`, async () => {
      await using fresh = await harness()
      await body(fresh)
    })
  readsContract(contractTest)
  commitContract(contractTest)
  treeContract(contractTest)
  replayContract(contractTest)
  withdrawalContract(contractTest)
}
