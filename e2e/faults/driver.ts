// The process that is broken: plays one flow in one folder, and says on stdout what it did before it goes on.
import { wantedClockStep } from './clock-step.ts'
import { flowNamed } from './flows.ts'
import { takeHeadStart } from './head-start.ts'
import { readScene } from './scene.ts'
import { createStage } from './stage.ts'
import { say } from './transcript.ts'
import { announceWorkers } from './worker-threads.ts'

/** Nothing takes this long: a process that hangs is a finding. */
const DEADLINE_MS = 120_000

const [name = '', root = ''] = process.argv.slice(2)
say({ type: 'began', pid: process.pid })
setTimeout(() => process.exit(70), DEADLINE_MS).unref()
await takeHeadStart('process')
announceWorkers()
try {
  await using stage = createStage(root, readScene(root), wantedClockStep())
  await flowNamed(name).play(stage)
} catch (error) {
  say({ type: 'broke', error: String((error as Error).message) })
  process.exit(1)
}
say({ type: 'ended' })
