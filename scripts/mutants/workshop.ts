import { type ChildProcess, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Mutant, plant } from './mutant.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const PACKAGES = ['syntax', 'data', 'crypto', 'lexicon', 'atproto', 'repo', 'identity', 'xrpc', 'sync', 'sim']
/** Whose tests are asked about a bug in a package: its own first, then those of the packages that build on it. */
const TESTED_BY: Readonly<Record<string, readonly string[]>> = {
  data: ['data', 'repo', 'sync'],
  repo: ['repo', 'sync'],
  sync: ['sync'],
}
const TIMEOUT_MS = 60_000

/** `killed` is what should happen: some test noticed. */
export type Outcome =
  | { readonly kind: 'killed'; readonly by: string }
  | { readonly kind: 'survived' }
  /** Ran longer than {@link TIMEOUT_MS}, which somebody would notice as well. */
  | { readonly kind: 'hung' }

/** A copy of the packages, in which bugs can be planted one at a time. The tree itself is never touched. */
export interface Workshop extends Disposable {
  /** Runs the tests without any bug. @throws {Error} when they fail: then no bug would be noticed for what it is. */
  checkHealthy(packages: Iterable<string>): Promise<void>
  /** @throws {Error} when the mutant's text is not where it should be. */
  checkText(mutant: Mutant): void
  try(mutant: Mutant): Promise<Outcome>
}

export const packageOf = ({ file }: Mutant): string => file.split('/')[1]!

export function openWorkshop(): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'mutants-'))
  const tree = join(folder, 'tree')
  layOut(folder, tree)
  let running: ChildProcess | undefined

  function runTests(name: string): Promise<Outcome> {
    const files = globSync(`packages/${name}/src/**/*.test.ts`, { cwd: tree }).sort()
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const reporter = join(root, 'scripts/mutants/fail-fast.ts')
    return new Promise((resolve, reject) => {
      const child = spawn(
        process.execPath,
        ['--test', '--test-isolation=none', `--test-reporter=${reporter}`, ...files],
        { cwd: tree, env, stdio: ['ignore', 'pipe', 'pipe'] },
      )
      running = child
      const output: Buffer[] = []
      child.stdout.on('data', (chunk) => output.push(chunk))
      child.stderr.on('data', (chunk) => output.push(chunk))
      let late = false
      const timer = setTimeout(() => {
        late = true
        child.kill('SIGKILL')
      }, TIMEOUT_MS)
      child.on('error', reject)
      child.on('close', (status) => {
        clearTimeout(timer)
        const by = Buffer.concat(output).toString().trim().split('\n')[0]!
        resolve(late ? { kind: 'hung' } : status === 0 ? { kind: 'survived' } : { kind: 'killed', by })
      })
    })
  }

  return {
    async checkHealthy(packages) {
      for (const name of new Set([...packages].flatMap((name) => TESTED_BY[name]!))) {
        const outcome = await runTests(name)
        if (outcome.kind !== 'survived')
          throw new Error(
            `the tests of packages/${name} fail without any bug planted: ${'by' in outcome ? outcome.by : outcome.kind}`,
          )
      }
    },
    checkText(mutant) {
      plant(mutant, readFileSync(join(tree, mutant.file), 'utf8'))
    },
    async try(mutant) {
      const path = join(tree, mutant.file)
      const source = readFileSync(path, 'utf8')
      writeFileSync(path, plant(mutant, source))
      try {
        let outcome: Outcome = { kind: 'survived' }
        for (const name of TESTED_BY[packageOf(mutant)]!) {
          outcome = await runTests(name)
          if (outcome.kind !== 'survived') break
        }
        return outcome
      } finally {
        writeFileSync(path, source)
      }
    },
    [Symbol.dispose]() {
      running?.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Copies the packages; everything else that their tests reach for is linked to. */
function layOut(folder: string, tree: string): void {
  const skipsModules = { recursive: true, filter: (path: string) => !path.endsWith('node_modules') }
  mkdirSync(join(tree, 'packages'), { recursive: true })
  for (const name of PACKAGES) {
    const from = join(root, 'packages', name)
    cpSync(from, join(tree, 'packages', name), skipsModules)
    if (existsSync(join(from, 'node_modules')))
      symlinkSync(join(from, 'node_modules'), join(tree, 'packages', name, 'node_modules'))
  }
  cpSync(join(root, 'package.json'), join(tree, 'package.json'))
  symlinkSync(join(root, 'lexicons'), join(tree, 'lexicons'))
  const modules = join(tree, 'node_modules')
  mkdirSync(join(modules, '@imago'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@imago') symlinkSync(join(root, 'node_modules', name), join(modules, name))
  for (const name of PACKAGES) symlinkSync(join(tree, 'packages', name), join(modules, '@imago', name))
  const shared = join(root, '../shared')
  if (existsSync(shared)) symlinkSync(shared, join(folder, 'shared'))
}
