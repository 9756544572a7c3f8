import assert from 'node:assert/strict'
import test from 'node:test'
import { type Curve, generateKeypair, importKeypair } from '@imago/crypto'
import { openKeyFile, parseKeyFile, writeKeyFile } from './key-file.ts'
import { combineShares, splitKey } from './key-shares.ts'
import { formatWordSheet, parseWordSheet, wordsOf } from './key-words.ts'

const curves: readonly Curve[] = ['p256', 'k256']

test('words: a known secret gives the known words, and a sheet gives the key again', () => {
  const known = importKeypair('k256', Uint8Array.fromHex('7f'.repeat(32)))
  assert.equal(
    wordsOf(known).join(' '),
    `${'legal winner thank year wave sausage worth useful '.repeat(2)}legal winner thank year wave sausage worth title`,
  )
  for (const curve of curves) {
    const keypair = generateKeypair(curve)
    assert.equal(parseWordSheet(formatWordSheet(keypair)).didKey, keypair.didKey)
    assert.equal(parseWordSheet(wordsOf(keypair).join('  ').toUpperCase(), curve).didKey, keypair.didKey)
  }
})

test('words: slips are told, and never taken for another key', () => {
  const keypair = generateKeypair('p256')
  const words = [...wordsOf(keypair)]
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => parseWordSheet(text, 'p256'), { name: 'KeyFormError', message })
  refused(words.slice(1).join(' '), /24 words, and here are 23/)
  refused(words.with(3, 'abandonn').join(' '), /“abandonn” is not a word/)
  assert.throws(() => parseWordSheet(words.join(' ')), /which curve/)
  const other = generateKeypair('p256')
  refused(`${other.didKey}\n${words.join(' ')}`, /and the sheet says/)
  let caught = 0
  for (let i = 0; i < 23; i++) {
    const swapped = words.with(i, words[i + 1]!).with(i + 1, words[i]!)
    if (words[i] === words[i + 1]) continue
    try {
      assert.notEqual(parseWordSheet(swapped.join(' '), 'p256').didKey, keypair.didKey)
    } catch {
      caught++
    }
  }
  assert.ok(caught >= 18, 'a checksum of eight bits finds nearly all of them')
})

test('shares: any two of three make the key, one does not, and strangers are told apart', async () => {
  for (const curve of curves) {
    const keypair = generateKeypair(curve)
    const shares = await splitKey(keypair, 3, 2)
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [2, 1],
    ] as const)
      assert.equal(
        (await combineShares([shares[a]!, ` ${shares[b]!.toUpperCase()} `])).didKey,
        keypair.didKey,
      )
    await assert.rejects(combineShares(shares.slice(0, 1)), /2 shares make the key, and here are 1/)
    await assert.rejects(combineShares([shares[0]!, shares[0]!]), /stands here twice/)
    await assert.rejects(combineShares([]), /no share/)
    const [stranger] = await splitKey(generateKeypair(curve), 3, 2)
    await assert.rejects(combineShares([shares[0]!, stranger!]), /another key/)
    const last = shares[0]!.at(-1)!
    await assert.rejects(
      combineShares([shares[1]!, shares[0]!.slice(0, -3) + (last === 'a' ? 'bbb' : 'aaa')]),
      /mistyped/,
    )
  }
})

test('files: with and without a passphrase, and nothing else opens them', async () => {
  const keypair = generateKeypair('p256')
  const open = parseKeyFile(await writeKeyFile(keypair, undefined))
  assert.equal((await openKeyFile(open, undefined)).didKey, keypair.didKey)
  const text = await writeKeyFile(keypair, 'correct horse battery', { N: 1024, r: 8, p: 1 })
  assert.ok(!text.includes(keypair.exportSecret().toHex()))
  const file = parseKeyFile(text)
  assert.equal((await openKeyFile(file, 'correct horse battery')).didKey, keypair.didKey)
  await assert.rejects(openKeyFile(file, undefined), /--passphrase-file/)
  await assert.rejects(openKeyFile(file, 'correct horse batterz'), /passphrase is wrong/)
  await assert.rejects(
    openKeyFile({ ...file, didKey: generateKeypair('p256').didKey }, 'correct horse battery'),
    /or the file was changed/,
  )
  await assert.rejects(openKeyFile({ ...file, protected: { ...file.protected!, N: 2 ** 30 } }, 'x'), /dearer/)
  await assert.rejects(writeKeyFile(keypair, 'short'), /at least 12/)
  for (const bad of [
    '',
    '{}',
    'null',
    JSON.stringify({ ...open, protected: {} }),
    JSON.stringify({ ...open, curve: 'x' }),
  ])
    assert.throws(() => parseKeyFile(bad), { name: 'KeyFormError' })
  await assert.rejects(openKeyFile({ ...open, secret: 'zz' }, undefined), /64 hexadecimal/)
})
