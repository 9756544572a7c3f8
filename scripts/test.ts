// `npm test`: everything that has to hold, in the order in which it fails fastest. `npm run unit` and `npm run e2e`
// run one stage. Stages print their own output; the last line says how many passed.
import { spawn } from 'node:child_process'
import { chmodSync, globSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const ROOMS = '{packages,services,cli,apps,scripts,bench}'

type Command = readonly [program: string, ...args: readonly string[]]

interface Stage {
  readonly name: string
  /** They run side by side, and the stage passes when all of them do. */
  readonly commands: readonly Command[]
  /** What is set besides the environment of this process. */
  readonly env?: () => NodeJS.ProcessEnv
}

const bin = (name: string) => `${root}node_modules/.bin/${name}`
const files = (pattern: string) =>
  globSync(pattern, { cwd: root, exclude: (name) => name === 'node_modules' }).sort()
const nodeTest = (...args: readonly string[]): Command => [process.execPath, '--test', ...args]

/** Tests of the tests: short forms of fuzzing and of the catalogue of deliberate bugs. */
const JUDGES = ['scripts/fuzz.test.ts', 'scripts/mutants.test.ts']
const unitFiles = files(`${ROOMS}/**/*.test.ts`).filter((file) => !JUDGES.includes(file))

/**
 * Each process loads nearly all of the source, which takes it 2 s: so few of them, and not one for every file. One more
 * than there are cores, because tests also wait: for timers, and for processes that they start.
 */
const UNIT_PROCESSES = availableParallelism() + 1
const unitCommands = Array.from({ length: UNIT_PROCESSES }, (_, share) =>
  nodeTest('--test-isolation=none', ...unitFiles.filter((_, i) => i % UNIT_PROCESSES === share)),
)

/** Temporary files in memory, where there is enough: no unit test can tell what a sync of the disk has done. */
function memoryForFiles(device = '/dev/shm', minFreeBytes = 2 ** 30): NodeJS.ProcessEnv {
  try {
    const { bavail, bsize } = statfsSync(device)
    if (bavail * bsize < minFreeBytes) return {}
  } catch {
    return {}
  }
  const folder = mkdtempSync(`${device}/imago-unit-`)
  // PostgreSQL runs as another user, and has to get through.
  chmodSync(folder, 0o755)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return { TMPDIR: folder }
}

const stages: readonly Stage[] = [
  { name: 'format and lint', commands: [[bin('biome'), 'check', '.']] },
  { name: 'types', commands: [[bin('tsc'), '--noEmit']] },
  {
    name: 'unit',
    commands: unitCommands,
    env: () => ({ ...memoryForFiles(), NODE_COMPILE_CACHE: `${root}node_modules/.cache/node` }),
  },
  { name: 'fuzz and mutants', commands: [nodeTest(...JUDGES)] },
  // Real processes and fixed ports: one file at a time.
  { name: 'e2e', commands: [nodeTest('--test-concurrency=1', ...files('e2e/**/*.test.ts'))] },
]

/** @returns how the command ended where it failed, and otherwise nothing. */
type Run = (command: Command, env: NodeJS.ProcessEnv | undefined) => Promise<string | undefined>

/** What it says is seen as it goes. */
const runAlone: Run = (command, env) => ending(start(command, env, 'inherit'))

/** What it says is shown when it has ended, so that no line of another is between. */
const runBeside: Run = async (command, env) => {
  const child = start(command, env, 'pipe')
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => said.push(chunk))
  const failure = await ending(child)
  process.stdout.write(Buffer.concat(said))
  return failure
}

const start = ([program, ...args]: Command, env: NodeJS.ProcessEnv | undefined, output: 'inherit' | 'pipe') =>
  spawn(program, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['inherit', output, output] })

const ending = (child: ReturnType<typeof start>) =>
  new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`),
    )
  })

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !stages.some((stage) => stage.name === name))
if (unknown.length > 0) {
  console.error(`no stage ${unknown.join(', ')}; stages: ${stages.map((stage) => stage.name).join(', ')}`)
  process.exit(2)
}

let failed = 0
const chosen = stages.filter((stage) => wanted.length === 0 || wanted.includes(stage.name))
for (const { name, commands, env } of chosen) {
  console.log(`\n── ${name}`)
  const settings = env?.()
  const run = commands.length === 1 ? runAlone : runBeside
  const endings = await Promise.all(commands.map((command) => run(command, settings)))
  for (const [i, failure] of endings.entries())
    if (failure !== undefined) console.log(`✖ ${name}, process ${i + 1} of ${commands.length} ${failure}`)
  if (endings.some((failure) => failure !== undefined)) failed++
}
console.log(`\nstages: ${chosen.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
