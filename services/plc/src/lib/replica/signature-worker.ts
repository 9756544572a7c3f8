import { parentPort } from 'node:worker_threads'
import { findSignerOfBytes } from '@imago/identity/plc'
import { type SignatureBatch, unpackSignatures } from './signature-batch.ts'

// The other side of a signature pool: keys and signed bytes in, positions of the keys that signed out.
parentPort!.on('message', (batch: SignatureBatch) => {
  const signers: number[] = []
  for (const item of unpackSignatures(batch)) signers.push(findSignerOfBytes(item.keys, item))
  parentPort!.postMessage(signers)
})
