import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { createPasswords, NO_PASSWORD } from './password.ts'

const cheap = { N: 16, r: 8, p: 1 }
const passwords = (cost = cheap) => createPasswords({ randomBytes: createRandom(1).bytes, cost })

test('[U4] a password is kept as scrypt with its parameters, 16 bytes of salt and 64 of key', async () => {
  const hash = await passwords().hash('correct horse')
  const [scheme, N, r, p, salt, key] = hash.split('$')
  assert.deepEqual([scheme, N, r, p], ['scrypt', '16', '8', '1'])
  assert.match(
    Buffer.from(salt!, 'base64').toString(),
    /^[0-9a-f]{32}$/,
    'as text, which the reference keeps as well',
  )
  assert.equal(Uint8Array.fromBase64(key!).length, 64)
  assert.ok(!hash.includes('horse'))
})

test('[U4] only the right password verifies, also after the cost was raised', async () => {
  const hash = await passwords().hash('correct horse')
  const later = passwords({ N: 32, r: 8, p: 1 })
  assert.equal(await later.verify('correct horse', hash), true)
  assert.equal(await later.verify('correct horsf', hash), false)
  assert.equal(await later.verify('', hash), false)
})

test('[U4] an unknown user never verifies', async () => {
  assert.equal(await passwords().verify('anything', undefined), false)
})

test('[U5] one of several passwords is found, by whichever salt', async () => {
  const made = passwords()
  const hashes = [await made.hash('first'), await made.hash('second'), await made.hash('third')]
  assert.equal(await made.find('third', hashes), 2)
  assert.equal(await made.find('fourth', hashes), undefined)
  assert.equal(await made.find('first', []), undefined)
})

test('where no password was set, none verifies', async () => {
  assert.equal(await passwords().verify(NO_PASSWORD, NO_PASSWORD), false)
})

test('two hashes of one password differ', async () => {
  const made = passwords()
  assert.notEqual(await made.hash('same'), await made.hash('same'))
})
