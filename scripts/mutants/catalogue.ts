import { CAR } from './catalogue/car.ts'
import { CHECKS } from './catalogue/checks.ts'
import { DRISL } from './catalogue/drisl.ts'
import { MST } from './catalogue/mst.ts'
import { STREAM } from './catalogue/stream.ts'
import type { Mutant } from './mutant.ts'

/** Every deliberate bug that the tests have to notice. */
export const CATALOGUE: readonly Mutant[] = [...CHECKS, ...DRISL, ...CAR, ...MST, ...STREAM]
