// A reporter for Node's test runner that ends the process at the first failure: one is enough to know of a bug.
import type { TestEvent } from 'node:test/reporters'

export default async function* failFast(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:fail') continue
    console.log(data.name)
    process.exit(1)
  }
  yield ''
}
