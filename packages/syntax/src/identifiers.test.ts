import test from 'node:test'
import { fuzzBriefly } from '@imago/sim/fuzz'
import { targets } from './identifiers.fuzz.ts'

for (const target of targets)
  test(`${target.name}: mutants are judged as the plain rule says`, () =>
    fuzzBriefly(target, { executions: 1000 }))
