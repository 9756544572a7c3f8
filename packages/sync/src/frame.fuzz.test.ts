import test from 'node:test'
import { fuzzBriefly } from '@imago/sim/fuzz'
import { target } from './frame.fuzz.ts'

test('frames nobody thought of get a verdict', () => fuzzBriefly(target, { executions: 300 }))
