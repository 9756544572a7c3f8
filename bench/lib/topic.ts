import { fork } from 'node:child_process'
import { on } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { GroupContext } from './group.ts'
import { killAtExit } from './kill-at-exit.ts'
import type { Row } from './row.ts'

/** A module that exports this measures one topic of a group. */
export interface Topic {
  rows(context: GroupContext): AsyncIterable<Row>
}

/** What the process of a topic sends. */
export type TopicMessage = { readonly row: Row } | { readonly progress: string } | { readonly done: true }

/**
 * The rows of one topic, measured in a process of its own: V8 goes on by what it learnt of the work before, such as which
 * arrays live long, and a topic may be twice as slow behind another one (measured).
 * @throws when the topic does.
 */
export async function* rowsOf(module: URL, { quick, progress }: GroupContext): AsyncGenerator<Row> {
  const self = fileURLToPath(new URL('./topic-process.ts', import.meta.url))
  const child = fork(self, [module.href, ...(quick ? ['--quick'] : [])])
  killAtExit(child)
  for await (const [message] of on(child, 'message', { close: ['exit'] })) {
    const said = message as TopicMessage
    if ('row' in said) yield said.row
    else if ('progress' in said) progress(said.progress)
    else return
  }
  throw new Error(`${fileURLToPath(module)} did not come to its end`)
}
