// `npm test`: everything that has to hold, in the order in which it fails fastest. `npm run unit` and `npm run e2e`
// run one stage. Stages print their own output; the last line says how many passed.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const ROOMS = '{packages,services,cli,apps,scripts,bench}'

interface Stage {
  readonly name: string
  readonly command: readonly string[]
}

const bin = (name: string) => `${root}node_modules/.bin/${name}`
const files = (pattern: string) =>
  globSync(pattern, { cwd: root, exclude: (name) => name === 'node_modules' }).sort()

/** Tests of the tests: short forms of fuzzing and of the catalogue of deliberate bugs. */
const JUDGES = ['scripts/fuzz.test.ts', 'scripts/mutants.test.ts']
const unitFiles = files(`${ROOMS}/**/*.test.ts`).filter((file) => !JUDGES.includes(file))

const stages: readonly Stage[] = [
  { name: 'format and lint', command: [bin('biome'), 'check', '.'] },
  { name: 'types', command: [bin('tsc'), '--noEmit'] },
  {
    name: 'unit',
    // One process for all files: 200 small files take 0.4 s this way and 20 s in a process each.
    command: [process.execPath, '--test', '--test-isolation=none', ...unitFiles],
  },
  { name: 'fuzz and mutants', command: [process.execPath, '--test', ...JUDGES] },
  {
    name: 'e2e',
    // Real processes and fixed ports: one file at a time.
    command: [process.execPath, '--test', '--test-concurrency=1', ...files('e2e/**/*.test.ts')],
  },
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !stages.some((stage) => stage.name === name))
if (unknown.length > 0) {
  console.error(`no stage ${unknown.join(', ')}; stages: ${stages.map((stage) => stage.name).join(', ')}`)
  process.exit(2)
}

let failed = 0
const chosen = stages.filter((stage) => wanted.length === 0 || wanted.includes(stage.name))
for (const { name, command } of chosen) {
  console.log(`\n── ${name}`)
  const [file, ...args] = command
  const { status } = spawnSync(file!, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) failed++
}
console.log(`\nstages: ${chosen.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
