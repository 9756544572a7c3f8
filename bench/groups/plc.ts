import type { Group } from '../lib/group.ts'
import { plcRows } from '../lib/plc-contest.ts'
import { rowsOf } from '../lib/topic.ts'

/** Our directory and the reference, under the same loads; then what one core makes of histories and proofs. */
export const group: Group = {
  about: 'speed, size and memory of the PLC directory, against the reference directory',

  async *rows(context) {
    for (const topic of ['history', 'bootstrap', 'inclusion'])
      yield* rowsOf(new URL(`../plc/${topic}.ts`, import.meta.url), context)
    yield* plcRows(context)
  },
}
