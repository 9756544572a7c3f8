// The short form of `node e2e/faults/main.ts`: a few of the system calls of each flow, broken. The long form breaks all.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { infrastructureTest } from '@imago/sim/infrastructure'
import type { Fault } from './faults/fault.ts'
import { type FaultRunOptions, runFaults } from './faults/fault-run.ts'
import { flows } from './faults/flows.ts'
import { straceMissing } from './faults/strace.ts'

/** How many places of each kind. */
const MOST: Partial<Record<Fault, number>> = { kill: 2, ENOSPC: 1, EIO: 1 }

/** What is different with some flows: those that take longer have fewer. */
const OTHERS: Readonly<Record<string, Pick<FaultRunOptions, 'most' | 'thread' | 'only'>>> = {
  write: { most: { ...MOST, clock: 1 } },
  checkpoint: { most: { EIO: 1 }, thread: 'worker', only: ['fsync'] },
  resume: { most: { tear: 1 } },
}

const compiled = mkdtempSync(join(tmpdir(), 'imago-faults-compiled-'))
after(() => rmSync(compiled, { recursive: true, force: true }))

for (const flow of flows)
  infrastructureTest(
    `kill -9, a full disk and a broken one in the ${flow.name} flow cost nothing that was acknowledged`,
    straceMissing,
    async () => {
      const options = { most: MOST, ...OTHERS[flow.name] }
      const faults = Object.keys(options.most) as Fault[]
      const { tallies, ms } = await runFaults(flow, { ...options, faults, compiled })
      for (const { fault, points, chosen, hit, failures } of tallies) {
        assert.deepEqual(failures, [])
        assert.ok(chosen >= 1 && hit === chosen, `${fault} fired`)
        console.log(`# ${flow.name}: ${fault} at ${hit} of ${points} calls`)
      }
      console.log(`# ${flow.name}: ${(ms / 1000).toFixed(1)} s`)
    },
  )
