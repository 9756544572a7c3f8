import { existsSync, readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { FuzzFailure, failureOf, fuzzBriefly } from '@imago/sim/fuzz'
import { crashersOf, findTargets } from './fuzz/targets.ts'

const EXECUTIONS = 300

for (const { target } of await findTargets()) {
  test(`fuzz ${target.name}: seeds and ${EXECUTIONS} mutants of them`, () => {
    fuzzBriefly(target, { executions: EXECUTIONS })
  })

  const folder = crashersOf(target.name)
  for (const file of existsSync(folder) ? readdirSync(folder).sort() : [])
    test(`fuzz ${target.name}: ${file}, which once broke it`, () => {
      const input = new Uint8Array(readFileSync(new URL(file, folder)))
      const failure = failureOf(target, input)
      if (failure !== undefined) throw new FuzzFailure(target, input, failure.error)
    })
}
