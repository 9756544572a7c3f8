// npm run mutants -- [--short] [--seed N] [--area NAME] [--jobs N]
// Plants the catalogue's bugs one by one in a copy of the packages, and sees whether the tests notice. Exits 1 when one
// survives.
import { parseArgs } from 'node:util'
import { createRandom } from '@imago/sim/random'
import { CATALOGUE } from './mutants/catalogue.ts'
import { tryMutants } from './mutants/run.ts'

const SHORT = 12
const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    area: { type: 'string' },
    jobs: { type: 'string', default: '2' },
  },
})

const { area } = values
const inArea = area === undefined ? CATALOGUE : CATALOGUE.filter((mutant) => mutant.area === area)
if (inArea.length === 0) {
  console.error(
    `no mutants of ${area}; areas: ${[...new Set(CATALOGUE.map((mutant) => mutant.area))].join(', ')}`,
  )
  process.exit(2)
}
const chosen = values.short ? createRandom(Number(values.seed)).shuffle(inArea).slice(0, SHORT) : inArea
const { killed, survivors } = await tryMutants(chosen, { jobs: Number(values.jobs), print: console.log })
console.log(`\nmutants: ${killed} of ${chosen.length} killed`)
for (const survivor of survivors) console.log(`survived: ${survivor}`)
process.exitCode = survivors.length === 0 ? 0 : 1
