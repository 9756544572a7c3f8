import type { PlcStore, StoredOperation, Withdrawal } from './store/plc-store.ts'

/** What has a number in a directory. */
export type HistoryEvent = StoredOperation | Withdrawal

export const isWithdrawal = (event: HistoryEvent): event is Withdrawal => 'operations' in event

/** Operations and notices behind a number, in their one order. What was withdrawn is told by its notice alone. */
export async function historyPage(
  store: Pick<PlcStore, 'page' | 'withdrawalPage'>,
  after: number,
  limit: number,
): Promise<readonly HistoryEvent[]> {
  const [operations, withdrawals] = await Promise.all([
    store.page({ seq: after }, limit),
    store.withdrawalPage(after, limit),
  ])
  return inOrder(operations, withdrawals).slice(0, limit)
}

export const inOrder = (
  operations: readonly StoredOperation[],
  withdrawals: readonly Withdrawal[],
): readonly HistoryEvent[] =>
  withdrawals.length === 0 ? operations : [...operations, ...withdrawals].sort((a, b) => a.seq - b.seq)
