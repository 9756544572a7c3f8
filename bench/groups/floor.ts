import type { Group } from '../lib/group.ts'
import { rowsOf } from '../lib/topic.ts'

const TOPICS = ['drisl', 'car', 'signatures', 'commits', 'repository', 'lexicon']

/** What every service spends its time on: floors 0 to 3, one core, no I/O. */
export const group: Group = {
  about: 'data model, signatures, commits, repositories and schemas on one core',

  async *rows(context) {
    for (const topic of TOPICS) yield* rowsOf(new URL(`../floor/${topic}.ts`, import.meta.url), context)
  },
}
