import assert from 'node:assert/strict'
import { randomBytes as random } from 'node:crypto'
import test from 'node:test'
import { createHeader, openHeader } from './backup-header.ts'

const cost = { N: 16, r: 8, p: 1 }
const passphrase = { kind: 'passphrase', passphrase: 'correct horse battery' } as const
const keyFile = { kind: 'keyFile', key: new Uint8Array(32).fill(9) } as const
const none = { kind: 'none' } as const
const randomBytes = (length: number) => new Uint8Array(random(length))
const create = (secret: Parameters<typeof createHeader>[0]) => createHeader(secret, randomBytes, cost)

test('the secret that a repository was made with opens it, and no other does', async () => {
  for (const secret of [passphrase, keyFile, none]) {
    const { opened, text } = await create(secret)
    assert.deepEqual(await openHeader(text, secret), opened)
    const others = [
      passphrase,
      keyFile,
      none,
      { kind: 'passphrase', passphrase: 'another one' } as const,
      { kind: 'keyFile', key: new Uint8Array(32).fill(8) } as const,
    ].filter((other) => other !== secret)
    for (const other of others)
      if (secret !== none || other.kind !== 'none')
        await assert.rejects(openHeader(text, other), { code: 'WrongKey' })
    const isReadable = text.includes(Buffer.from(opened.dataKey).toString('hex'))
    assert.equal(isReadable, secret === none, 'the data key lies open only where nothing protects it')
  }
})

test('a passphrase is the same however it was typed', async () => {
  const { text } = await create({ kind: 'passphrase', passphrase: 'd\u00e9j\u00e0 vu' })
  await openHeader(text, { kind: 'passphrase', passphrase: 'de\u0301ja\u0300 vu' })
})

test('a header that was changed, is damaged, or is none is refused before any work', async () => {
  const { text } = await create(passphrase)
  const header = JSON.parse(text)
  const changed = (fields: object) => JSON.stringify({ ...header, ...fields })
  const cases: [string, string][] = [
    ['NotARepository', 'no json'],
    ['NotARepository', 'null'],
    ['NotARepository', '{"format":"other"}'],
    ['TooNew', changed({ version: 2 })],
    ['Damaged', changed({ salt: 'xyz' })],
    ['Damaged', changed({ dataKey: '00' })],
    ['Damaged', changed({ protection: 'prayer' })],
    ['Damaged', changed({ scrypt: { N: 2 ** 30, r: 8, p: 1 } })],
    ['Damaged', changed({ scrypt: { N: 2 ** 20, r: 2 ** 20, p: 1 } })],
    ['Damaged', changed({ scrypt: { N: 17, r: 8, p: 1 } })],
    ['Damaged', changed({ scrypt: undefined })],
    ['WrongKey', changed({ id: '0011223344556677' })],
    ['WrongKey', changed({ scrypt: { ...cost, N: 32 } })],
    ['WrongKey', changed({ nonce: '00'.repeat(12) })],
  ]
  for (const [code, changedText] of cases)
    await assert.rejects(openHeader(changedText, passphrase), { code }, changedText)
})

test('a key file that is too short to be one is refused', async () => {
  await assert.rejects(create({ kind: 'keyFile', key: new Uint8Array(16) }), /16 bytes, and at least 32/)
})
