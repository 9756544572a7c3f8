import test from 'node:test'
import { fuzzBriefly } from '@imago/sim/fuzz'
import { target as car } from './car.fuzz.ts'
import { target as cbor } from './cbor.fuzz.ts'
import { target as json } from './json.fuzz.ts'

for (const target of [cbor, car, json])
  test(`a short run of fuzzing: ${target.name}`, () => fuzzBriefly(target))
