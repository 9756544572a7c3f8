import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { CATALOGUE } from './mutants/catalogue.ts'
import { plant, titleOf } from './mutants/mutant.ts'
import { tryMutants } from './mutants/run.ts'

const SAMPLE = 4
const CHECKS = Array.from({ length: 16 }, (_, i) => `check-${i + 1}`)

test('every mutant finds its text, and no two are the same', () => {
  const wrong: string[] = []
  for (const mutant of CATALOGUE)
    try {
      plant(mutant, readFileSync(new URL(`../${mutant.file}`, import.meta.url), 'utf8'))
    } catch (error) {
      wrong.push((error as Error).message)
    }
  assert.deepEqual(wrong, [])
  assert.equal(new Set(CATALOGUE.map(titleOf)).size, CATALOGUE.length)
})

test('there are two mutants or more for each of the sixteen checks, and ten or more for codec, CAR and MST', () => {
  const count = (area: string) => CATALOGUE.filter((mutant) => mutant.area === area).length
  for (const area of CHECKS) assert.ok(count(area) >= 2, `${area}: ${count(area)}`)
  for (const area of ['drisl', 'car', 'mst']) assert.ok(count(area) >= 10, `${area}: ${count(area)}`)
})

test('a sample of the mutants is noticed by the tests', async () => {
  const sample = createRandom(1).shuffle(CATALOGUE).slice(0, SAMPLE)
  // That they pass without a bug is for this very run of all tests to show.
  const { survivors } = await tryMutants(sample, { checkHealth: false })
  assert.deepEqual(survivors, [])
})
