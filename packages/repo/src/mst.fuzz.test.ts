import test from 'node:test'
import { fuzzBriefly } from '@imago/sim/fuzz'
import { target } from './mst.fuzz.ts'

test('nodes nobody thought of make a tree or are refused', () => fuzzBriefly(target, { executions: 200 }))
