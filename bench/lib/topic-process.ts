import { promisify } from 'node:util'
import type { Topic, TopicMessage } from './topic.ts'

// `topic-process.ts MODULE [--quick]`, started by topic.ts: sends the rows of one topic to the process above it.

const [, , module, quick] = process.argv
const send: (message: TopicMessage) => Promise<unknown> = promisify(process.send!.bind(process))

const topic: Topic = await import(module!)
const progress = (text: string) => void send({ progress: text })
for await (const row of topic.rows({ quick: quick !== undefined, progress })) await send({ row })
await send({ done: true })
process.disconnect?.()
