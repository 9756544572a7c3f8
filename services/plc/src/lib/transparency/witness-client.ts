import {
  type Checkpoint,
  formatAddCheckpoint,
  type NoteSignature,
  type Proof,
  parseSignatureLine,
  type Witness,
} from '@imago/tlog'

const TIMEOUT_MS = 5000
const MAX_ANSWER_CHARACTERS = 64 * 1024

/** A witness that a log asks to cosign. */
export interface WitnessClient {
  readonly witness: Witness
  /**
   * Has a checkpoint cosigned.
   * @param note signed by the log.
   * @param prove consistency from an older size to the checkpoint's.
   * @returns the witness's own signatures, verified.
   * @throws {Error} that says what the witness answered.
   */
  cosign(
    note: string,
    checkpoint: Checkpoint,
    text: string,
    prove: (oldSize: number) => Promise<Proof>,
  ): Promise<readonly NoteSignature[]>
}

/** @param witness with the address of its submission prefix. */
export function createWitnessClient(
  witness: Witness & { readonly url: string },
  fetch: typeof globalThis.fetch,
): WitnessClient {
  const address = `${witness.url.replace(/\/$/, '')}/add-checkpoint`
  /** What the witness has cosigned last, as far as we know. */
  let lastSize = 0

  async function ask(oldSize: number, note: string, prove: (oldSize: number) => Promise<Proof>) {
    const response = await fetch(address, {
      method: 'POST',
      body: formatAddCheckpoint({ oldSize, proof: await prove(oldSize), checkpoint: note }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
    })
    return { status: response.status, body: (await response.text()).slice(0, MAX_ANSWER_CHARACTERS) }
  }

  return {
    witness,
    async cosign(note, { size }, text, prove) {
      let answer = await ask(Math.min(lastSize, size), note, prove)
      if (answer.status === 409) {
        const known = /^(0|[1-9]\d{0,15})\n$/.exec(answer.body)?.[1]
        if (known === undefined || Number(known) > size)
          throw new Error(`it has cosigned size ${answer.body.trim()}, beyond our ${size}`)
        answer = await ask(Number(known), note, prove)
      }
      if (answer.status !== 200)
        throw new Error(`it answered ${answer.status}: ${answer.body.slice(0, 200).trim()}`)
      const { key } = witness
      const signatures = answer.body
        .trimEnd()
        .split('\n')
        .map(parseSignatureLine)
        .filter(({ name, keyId, signature }) => {
          if (name !== key.name || keyId.toHex() !== key.keyId.toHex()) return false
          if (key.verify(text, signature)) return true
          throw new Error('its cosignature does not verify')
        })
      if (signatures.length === 0) throw new Error(`it did not sign with the key ${key.name}`)
      lastSize = size
      return signatures
    },
  }
}
