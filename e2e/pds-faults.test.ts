// The short form of `node e2e/faults/main.ts`: a few of the system calls of each flow, broken. The long form breaks all.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { infrastructureTest } from '@imago/sim/infrastructure'
import { runFaults } from './faults/fault-run.ts'
import { flows } from './faults/flows.ts'
import { straceMissing } from './faults/strace.ts'

const MOST = { kill: 2, ENOSPC: 1, EIO: 1 }

const compiled = mkdtempSync(join(tmpdir(), 'imago-faults-compiled-'))
after(() => rmSync(compiled, { recursive: true, force: true }))

for (const flow of flows)
  infrastructureTest(
    `kill -9, a full disk and a broken one in the ${flow.name} flow cost nothing that was acknowledged`,
    straceMissing,
    async () => {
      const { tallies, ms } = await runFaults(flow, { most: MOST, compiled })
      for (const { fault, points, hit, failures } of tallies) {
        assert.deepEqual(failures, [])
        assert.ok(hit >= 1, `${fault} fired`)
        console.log(`# ${flow.name}: ${fault} at ${hit} of ${points} calls`)
      }
      console.log(`# ${flow.name}: ${(ms / 1000).toFixed(1)} s`)
    },
  )
