import assert from 'node:assert/strict'
import test from 'node:test'
import { parseCheckpoint, parseCheckpointText, signCheckpoint } from './checkpoint.ts'
import { createSigningKey, type NoteKeyType, parseVkey } from './note-key.ts'
import { formatNote, openNote, parseNote, signText, verifiedSignatures } from './signed-note.ts'

const SPECIFIED_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const SPECIFIED_NOTE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`

/** Of another implementation: a log that we cannot check, and a witness that we can. */
const COSIGNED = `rome2026h1.example.org
300
lCkHUpkmVBEms2r2T1K6Og69+wUuuN3MIEW1/ezu2v0=

— rome2026h1.example.org kVB1JgAAAZtxtEwABAMARzBFAiEAi+mTa2xjL1IdWpH82OeciGsGvwRAP+f1WkfKaSZCfFECIHoNPZ/Q3y6UNzvKOO9cuLr6V16vPNfhwhle9f6r5H/Z
— witness.example.org uKLPIAAAAABpVGeAhm2bOvKc3LaB9PFN1ruG19Y5yqslmcAAbhftnn1Zznmo0LXFZq4LGvqKqLX8jWlwLKasxEGTLIqAVusneCBmBw==
`
const WITNESS_KEY = 'witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN'

const seed = (fill: number) => new Uint8Array(32).fill(fill)
const checkpoint = { origin: 'plc.example.org/log', size: 3, root: seed(9) }

test('the note of the specification opens, and a changed one does not', () => {
  const key = parseVkey(SPECIFIED_KEY)
  assert.equal(openNote(SPECIFIED_NOTE, [key]).text, 'This is an example message.\n')
  assert.equal(key.vkey, SPECIFIED_KEY)
  assert.throws(() => openNote(SPECIFIED_NOTE.replace('example m', 'Example m'), [key]), {
    code: 'InvalidNote',
  })
  assert.throws(() => openNote(SPECIFIED_NOTE, []), { code: 'NotTrusted' })
})

test('a cosignature that another implementation made verifies, with its time', () => {
  const key = parseVkey(WITNESS_KEY)
  const { checkpoint, note } = parseCheckpoint(COSIGNED)
  assert.equal(checkpoint.size, 300)
  const [found] = verifiedSignatures(note, [key])
  assert.equal(new Date(key.timeOf(found!.signature)! * 1000).toISOString(), '2025-12-31T00:00:00.000Z')
  assert.throws(() => verifiedSignatures(parseNote(COSIGNED.replace('\n300\n', '\n301\n')), [key]), {
    code: 'InvalidNote',
  })
})

for (const type of ['ed25519', 'ed25519-cosignature', 'ml-dsa-44-cosignature'] satisfies NoteKeyType[])
  test(`${type}: signed, published, verified by the published key`, () => {
    const key = createSigningKey('plc.example.org/log', type, seed(1), () => 1_700_000_000)
    const known = parseVkey(key.verifier.vkey)
    const text = signCheckpoint(checkpoint, [key])
    const { note, checkpoint: read } = parseCheckpoint(text)
    assert.deepEqual(read, checkpoint)
    const [signed] = verifiedSignatures(note, [known])
    assert.equal(known.timeOf(signed!.signature), type === 'ed25519' ? undefined : 1_700_000_000)
    const [line] = note.signatures
    for (let at = 0; at < line!.signature.length; at += type === 'ml-dsa-44-cosignature' ? 97 : 1) {
      const signature = line!.signature.slice()
      signature[at]! ^= 1
      assert.equal(known.verify(note.text, signature), false, `byte ${at}`)
    }
    assert.equal(known.verify(note.text, line!.signature.subarray(1)), false)
    assert.equal(known.verify('not a checkpoint\n', line!.signature), false)
    assert.equal(known.verify(note.text.replace(/^/, 'o'.repeat(300)), line!.signature), false)
    assert.throws(() => createSigningKey('a b', type, seed(1)), { code: 'InvalidKey' })
    assert.throws(() => createSigningKey('a', type, seed(1).subarray(1)), { code: 'InvalidKey' })
  })

test('keys of unknown identifiers are passed over, forged signatures of known ones are not', () => {
  const [log, other] = [1, 2].map((fill) => createSigningKey('log', 'ed25519', seed(fill)))
  const note = { text: 'x\n', signatures: signText('x\n', [other!, log!]) }
  assert.deepEqual(
    verifiedSignatures(note, [log!.verifier]).map(({ verifier }) => verifier),
    [log!.verifier],
  )
  const forged = {
    ...note,
    signatures: [{ ...note.signatures[1]!, signature: note.signatures[0]!.signature }],
  }
  assert.throws(() => verifiedSignatures(forged, [log!.verifier]), { code: 'InvalidNote' })
  assert.deepEqual(verifiedSignatures(forged, []), [])
})

test('twenty signatures are read; what is not a note is not', () => {
  const keys = Array.from({ length: 20 }, (_, i) => createSigningKey(`w${i}`, 'ed25519', seed(i)))
  const text = formatNote({ text: 'a\n\nb\n', signatures: signText('a\n\nb\n', keys) })
  assert.equal(parseNote(text).signatures.length, 20)
  assert.equal(parseNote(text).text, 'a\n\nb\n')
  assert.throws(() => parseNote(text, { maxSignatures: 19 }), /at most 19/)
  const line = '— k AAAAAAA=\n'
  assert.equal(parseNote(`x\n\n${line}`).signatures.length, 1)
  for (const bad of [
    '',
    'x\n',
    'x\n\n',
    `x\r\n\n${line}`,
    `x\t\n\n${line}`,
    `x\n${line}`,
    `x\n\n${line.trimEnd()}`,
    'x\n\n— k AAAA\n',
    'x\n\n— k AAAAAAA\n',
    'x\n\n— k AAAAAAB=\n',
    'x\n\n- k AAAAAAA=\n',
    'x\n\n—  k AAAAAAA=\n',
    'x\n\n— a+b AAAAAAA=\n',
    `\ud800\n\n${line}`,
  ])
    assert.throws(() => parseNote(bad), { code: 'InvalidNote' }, JSON.stringify(bad))
})

test('verifier keys: a plus within the base64 is no border, and nothing else passes', () => {
  let key = createSigningKey('k', 'ed25519', seed(0))
  for (let fill = 1; !key.verifier.vkey.slice('k+00000000+'.length).includes('+'); fill++)
    key = createSigningKey('k', 'ed25519', seed(fill))
  assert.deepEqual(parseVkey(key.verifier.vkey).publicKey, key.verifier.publicKey)
  const [name, id, base64] = [...SPECIFIED_KEY.split('+')] as [string, string, string]
  for (const bad of [
    '',
    name,
    `${name}+${id}`,
    `${name}+${id.toUpperCase()}+${base64}`,
    `${name}+00000000+${base64}`,
    `+${id}+${base64}`,
    `${name}+${id}+${base64.slice(0, -4)}`,
    `${name}+${id}+/${base64.slice(1)}`,
    `other+${id}+${base64}`,
  ])
    assert.throws(() => parseVkey(bad), { code: 'InvalidKey' }, bad)
})

test('checkpoints: sizes without needless zeros, a root of 32 bytes, no empty line', () => {
  const root = seed(9).toBase64()
  assert.deepEqual(parseCheckpointText(`o\n0\n${root}\next\n`), {
    origin: 'o',
    size: 0,
    root: seed(9),
    extensions: ['ext'],
  })
  for (const bad of [
    `\n1\n${root}\n`,
    `o\n01\n${root}\n`,
    `o\n-1\n${root}\n`,
    `o\n1e3\n${root}\n`,
    `o\n9007199254740992\n${root}\n`,
    `o\n1\n${root.slice(4)}\n`,
    `o\n1\n`,
    `o\n1\n${root}`,
    `o\n1\n${root}\n\n`,
    'o\n',
  ])
    assert.throws(() => parseCheckpointText(bad), { code: 'InvalidCheckpoint' }, bad)
})
