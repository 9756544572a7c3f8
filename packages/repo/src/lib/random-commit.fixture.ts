import type { Cid } from '@imago/data'
import type { Random } from '@imago/sim/random'
import { diffTrees } from './diff.ts'
import { Mst } from './mst.ts'
import { cidOf, pathOf, randomEntries } from './naive-tree.fixture.ts'

/** A tree, and one that is a few operations later. */
export function randomCommit(random: Random, size: number, changes: number) {
  const before = Mst.from(randomEntries(random, size))
  const model = new Map<string, Cid>(before.entries())
  let after = before
  const touched = new Set<string>()
  for (let i = 0; i < changes; i++) {
    const path =
      model.size > 0 && random.chance(0.6) ? random.pick([...model.keys()]) : pathOf(random.int(100_000))
    if (touched.has(path)) continue
    touched.add(path)
    if (!model.has(path)) after = after.insert(path, cidOf(2000 + i))
    else if (random.chance(0.4)) after = after.update(path, cidOf(2000 + i))
    else after = after.delete(path)
  }
  return { before, after, ops: diffTrees(before, after) }
}

/** Every order of some items. */
export function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield []
  for (let i = 0; i < items.length; i++)
    for (const rest of permutations(items.toSpliced(i, 1))) yield [items[i]!, ...rest]
}
