import { rows as car } from '../floor/car.ts'
import { rows as commits } from '../floor/commits.ts'
import { rows as drisl } from '../floor/drisl.ts'
import { rows as lexicon } from '../floor/lexicon.ts'
import { rows as repository } from '../floor/repository.ts'
import { rows as signatures } from '../floor/signatures.ts'
import type { Group } from '../lib/group.ts'

/** What every service spends its time on: floors 0 to 3, one core, no I/O. */
export const group: Group = {
  about: 'data model, signatures, commits, repositories and schemas on one core',

  async *rows(context) {
    for (const topic of [drisl, car, signatures, commits, repository, lexicon]) yield* topic(context)
  },
}
