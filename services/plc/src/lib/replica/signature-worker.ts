import { parentPort } from 'node:worker_threads'
import { findSigner, parseOperation } from '@imago/identity/plc'

// The other side of a signature pool: keys and operations in, positions of the keys that signed out.
parentPort!.on('message', (text: string) => {
  const items = JSON.parse(text) as { keys: string[]; operation: unknown }[]
  parentPort!.postMessage(
    items.map(({ keys, operation }) => findSigner(keys, parseOperation(operation, 'replay'))),
  )
})
