import assert from 'node:assert/strict'
import test from 'node:test'
import { type Checkpoint, parseCheckpoint, signCheckpoint } from './checkpoint.ts'
import { emptyRoot, hashLeaf, treeRoot } from './merkle-tree.ts'
import { createSigningKey } from './note-key.ts'
import { proveConsistency, proveInclusion } from './proofs.ts'
import { formatNote, parseNote, signText } from './signed-note.ts'
import { createTileHashSource } from './tiles.ts'
import { formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.ts'
import { checkTrust, parseTrustPolicy } from './trust-policy.ts'
import { formatAddCheckpoint, judgeAddCheckpoint, parseAddCheckpoint } from './witness-protocol.ts'

const NOW = 1_800_000_000
const origin = 'plc.example.org/log'
const key = (
  name: string,
  type: 'ed25519' | 'ed25519-cosignature' | 'ml-dsa-44-cosignature',
  fill: number,
  now = NOW,
) => createSigningKey(name, type, new Uint8Array(32).fill(fill), () => now)
const log = key(origin, 'ed25519', 1)
const witnesses = [
  key('w.example/1', 'ed25519-cosignature', 2),
  key('w.example/2', 'ml-dsa-44-cosignature', 3),
  key('w.example/3', 'ed25519-cosignature', 4),
]

const leaves = Array.from({ length: 200 }, (_, i) => hashLeaf(Uint8Array.of(i)))
const source = createTileHashSource(leaves.length, () => Buffer.concat(leaves))
const at = (size: number): Checkpoint => ({ origin, size, root: treeRoot(source, size) })
const request = (
  oldSize: number,
  checkpoint: Checkpoint,
  proof = proveConsistency(source, oldSize, checkpoint.size),
) =>
  parseAddCheckpoint(formatAddCheckpoint({ oldSize, proof, checkpoint: signCheckpoint(checkpoint, [log]) }))

test('a witness cosigns what continues its last checkpoint, and says why it does not', () => {
  const keys = [log.verifier]
  assert.equal(judgeAddCheckpoint(request(0, at(5)), keys, undefined).status, 200)
  assert.equal(judgeAddCheckpoint(request(5, at(200)), keys, at(5)).status, 200)
  assert.equal(judgeAddCheckpoint(request(5, at(5)), keys, at(5)).status, 200)
  assert.equal(judgeAddCheckpoint(request(0, at(5)), undefined, undefined).status, 404)
  assert.equal(judgeAddCheckpoint(request(0, at(5)), [], undefined).status, 403)
  assert.deepEqual(judgeAddCheckpoint(request(0, at(9)), keys, at(5)), { status: 409, size: 5 })
  const tooOld = parseAddCheckpoint(
    formatAddCheckpoint({ oldSize: 9, proof: [], checkpoint: signCheckpoint(at(5), [log]) }),
  )
  assert.equal(judgeAddCheckpoint(tooOld, keys, at(9)).status, 400)
  assert.equal(judgeAddCheckpoint(request(5, at(9), []), keys, at(5)).status, 422)
  assert.equal(judgeAddCheckpoint(request(0, at(5), [emptyRoot()]), keys, undefined).status, 422)
  for (const [old, checkpoint, last] of [
    [5, { ...at(5), root: emptyRoot() }, at(5)],
    [0, { ...at(0), root: leaves[0]! }, undefined],
  ] as const) {
    const verdict = judgeAddCheckpoint(request(old, checkpoint, []), keys, last)
    assert.ok(verdict.status === 422 && verdict.evidence)
  }
  const forged = request(0, at(5))
  const text = formatNote({ ...forged.signed.note, text: forged.signed.note.text.replace('\n5\n', '\n6\n') })
  const judged = judgeAddCheckpoint({ ...forged, signed: parseCheckpoint(text) }, keys, undefined)
  assert.equal(judged.status, 403)
})

test('bodies of add-checkpoint that are not', () => {
  const checkpoint = signCheckpoint(at(1), [log])
  for (const bad of [
    '',
    'old 1\n',
    `old 01\n\n${checkpoint}`,
    `new 1\n\n${checkpoint}`,
    `old 0\nAAAA\n\n${checkpoint}`,
    `old 0\n${`${emptyRoot().toBase64()}\n`.repeat(64)}\n${checkpoint}`,
  ])
    assert.throws(() => parseAddCheckpoint(bad), { name: 'TlogError' }, bad)
})

const vkey = (name: string) => [log, ...witnesses].find((one) => one.name === name)!.verifier.vkey
const policyText = `
# Two witnesses of three, of which one is post-quantum
log ${vkey(origin)} https://plc.example.org/log
witness one ${vkey('w.example/1')}
witness two ${vkey('w.example/2')} https://w.example/2
witness three ${vkey('w.example/3')}
group classic any one three
group both all classic two
quorum both
`

test('a policy believes its log and its quorum only', () => {
  const policy = parseTrustPolicy(policyText)
  const cosigned = (indexes: readonly number[]) => {
    const note = parseNote(signCheckpoint(at(7), [log]))
    const signatures = [
      ...note.signatures,
      ...signText(
        note.text,
        indexes.map((i) => witnesses[i]!),
      ),
    ]
    return parseCheckpoint(formatNote({ text: note.text, signatures }))
  }
  assert.deepEqual(
    checkTrust(cosigned([0, 1]), policy, { now: NOW }).map(({ name }) => name),
    ['one', 'two'],
  )
  assert.throws(() => checkTrust(cosigned([0, 2]), policy), {
    code: 'NotTrusted',
    message: /lacks its quorum: cosigned by one, three/,
  })
  assert.throws(() => checkTrust(cosigned([0, 1]), policy, { now: NOW + 1000, maxAgeSeconds: 999 }), {
    code: 'NotTrusted',
  })
  assert.throws(() => checkTrust(cosigned([0, 1]), policy, { now: NOW - 61 }), { code: 'NotTrusted' })
  // Without the time nobody can tell how old a cosignature is.
  assert.throws(() => checkTrust(cosigned([0, 1]), policy, { maxAgeSeconds: 999 }), { code: 'NotTrusted' })
  const unsigned = parseCheckpoint(signCheckpoint(at(7), witnesses))
  assert.throws(() => checkTrust(unsigned, policy), {
    code: 'NotTrusted',
    message: /no signature of a known key of that log/,
  })
})

test('policies that are refused name the line', () => {
  const first = `log ${vkey(origin)}\nwitness one ${vkey('w.example/1')}\n`
  for (const [bad, message] of [
    ['', /no quorum line/],
    [`${first}quorum two\n`, /line 3 .*two is not defined/],
    [`${first}witness one ${vkey('w.example/2')}\nquorum one\n`, /line 3 .*the name one is taken/],
    [`${first}witness two ${vkey('w.example/1')}\nquorum one\n`, /stands here twice/],
    [`${first}group g 2 one\nquorum g\n`, /2 of 1 members/],
    [`${first}group g any one\ngroup h any one g\nquorum h\n`, /one is a member twice/],
    [`${first}witness none ${vkey('w.example/2')}\nquorum one\n`, /the name none is taken/],
    [`${first}quorum one\nquorum one\n`, /second quorum/],
    [`log nonsense\nquorum none\n`, /line 1 .*is not a key/],
    ['hello\n', /neither a log/],
  ] as const)
    assert.throws(() => parseTrustPolicy(bad), { code: 'InvalidPolicy', message }, bad)
})

test('a proof file is enough to believe an entry, and believes nothing else', () => {
  const policy = parseTrustPolicy(`log ${vkey(origin)}\nquorum none\n`)
  const checkpoint = signCheckpoint(at(200), [log])
  const text = formatTlogProof({
    extra: Uint8Array.of(1),
    index: 77,
    proof: proveInclusion(source, 77, 200),
    checkpoint,
  })
  assert.deepEqual(parseTlogProof(text).extra, Uint8Array.of(1))
  verifyTlogProof(text, leaves[77]!, policy)
  assert.throws(() => verifyTlogProof(text, leaves[78]!, policy), { code: 'InvalidProof' })
  assert.throws(() => verifyTlogProof(text.replace('index 77', 'index 78'), leaves[77]!, policy), {
    code: 'InvalidProof',
  })
  assert.throws(() => verifyTlogProof(text.replace('index 77', 'index 200'), leaves[77]!, policy), {
    code: 'InvalidProof',
  })
  assert.throws(() => verifyTlogProof(text.replace('\n200\n', '\n201\n'), leaves[77]!, policy), {
    code: 'InvalidNote',
  })
  for (const bad of [
    '',
    text.replace('@v1', '@v2'),
    text.replace('index 77', 'index 077'),
    text.replace('extra AQ==', 'extra ?'),
    text.replace('\n\n', '\n'),
  ])
    assert.throws(() => parseTlogProof(bad), { code: 'InvalidProof' }, bad.slice(0, 60))
})
