// The process that faults.ts breaks: plays one flow in one folder, and says on stdout what it did before it goes on.
import { flowNamed } from './flows.ts'
import { takeHeadStart } from './head-start.ts'
import { readScene } from './scene.ts'
import { createStage } from './stage.ts'
import { say } from './transcript.ts'

/** Nothing takes this long: a process that hangs is a finding. */
const DEADLINE_MS = 120_000

const [name = '', root = ''] = process.argv.slice(2)
say({ type: 'began', pid: process.pid })
setTimeout(() => process.exit(70), DEADLINE_MS).unref()
await takeHeadStart()
try {
  await using stage = createStage(root, readScene(root))
  await flowNamed(name).play(stage)
} catch (error) {
  say({ type: 'broke', error: String((error as Error).message) })
  process.exit(1)
}
say({ type: 'ended' })
