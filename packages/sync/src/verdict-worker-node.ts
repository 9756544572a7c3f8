import { parentPort } from 'node:worker_threads'
import { type DidKey, type PublicKey, parseDidKey } from '@imago/crypto'
import { judgeFrame } from './judge-frame.ts'
import { type Batch, packVerdicts, unpackFrames } from './verdict-batch.ts'

// The other side of a verdict pool: batches of frames in, batches of verdicts out, in their order.

/** Keys that are kept ready: opening one takes a good part of a verification. */
const MAX_KEYS = 50_000
const keys = new Map<DidKey, PublicKey>()

function keyOf(text: DidKey): PublicKey {
  let key = keys.get(text)
  if (key === undefined) {
    // The oldest go first: whoever is active comes back.
    if (keys.size >= MAX_KEYS) keys.delete(keys.keys().next().value!)
    key = parseDidKey(text)
    keys.set(text, key)
  }
  return key
}

parentPort!.on('message', (batch: Batch) => {
  const verdicts = unpackFrames(batch).map(({ frame, signingKey, ...context }) =>
    judgeFrame(frame, { ...context, signingKey: signingKey && keyOf(signingKey) }),
  )
  const answer = packVerdicts(verdicts)
  parentPort!.postMessage(answer, [answer.bytes.buffer])
})
