import { globSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { FuzzTarget } from '@imago/sim/fuzz'

export const root = new URL('../../', import.meta.url)

export interface FoundTarget {
  /** Path below the root. */
  readonly file: string
  readonly target: FuzzTarget
}

function isTarget(value: unknown): value is FuzzTarget {
  const target = value as FuzzTarget | undefined | null
  return (
    typeof target?.run === 'function' && typeof target.seeds === 'function' && typeof target.name === 'string'
  )
}

/** The targets that one module exports, alone or in arrays. */
export async function targetsIn(file: string): Promise<FuzzTarget[]> {
  const module: Record<string, unknown> = await import(new URL(file, root).href)
  return [...new Set(Object.values(module).flat().filter(isTarget))]
}

/**
 * Every target of every `*.fuzz.ts` below `packages` and `services`.
 * @throws {Error} when a module exports no target, or when two share a name.
 */
export async function findTargets(): Promise<FoundTarget[]> {
  const files = globSync('{packages,services}/**/*.fuzz.ts', {
    cwd: root,
    exclude: (name) => name === 'node_modules',
  }).sort()
  const found: FoundTarget[] = []
  for (const file of files) {
    const targets = await targetsIn(file)
    if (targets.length === 0) throw new Error(`${file} exports no FuzzTarget: { name, seeds(), run(input) }`)
    for (const target of targets) {
      const other = found.find((known) => known.target.name === target.name)
      if (other !== undefined)
        throw new Error(
          `${file} and ${other.file} both export a fuzz target called ${target.name}: rename one`,
        )
      found.push({ file, target })
    }
  }
  return found
}

/** Where the inputs that once broke a target are kept, to be tried again by every `npm test`. */
export const crashersOf = (name: string): URL => new URL(`vectors/fuzz/${name}/`, root)

/** Whether this module is what was run, rather than imported. */
export const isMain = (url: string): boolean => url === pathToFileURL(process.argv[1] ?? '').href
