import assert from 'node:assert/strict'
import { scryptSync } from 'node:crypto'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { createPasswords, NO_PASSWORD } from '../accounts/password.ts'
import { passwordFromReference, passwordToReference } from './reference-passwords.ts'

const passwords = createPasswords({ randomBytes: createRandom(4).bytes })
const referenceHash = (password: string, salt: string) =>
  `${salt}:${scryptSync(password, salt, 64).toString('hex')}`

test('[U4] a hash of the reference verifies here, and goes back as it was', async () => {
  const there = referenceHash('correct horse', '00112233445566778899aabbccddeeff')
  const here = passwordFromReference(there)
  assert.equal(await passwords.verify('correct horse', here), true)
  assert.equal(await passwords.verify('wrong horse', here), false)
  assert.equal(passwordToReference(here), there)
})

test('[U4] a hash that was made here is one of the reference, too', async () => {
  const [salt, key] = passwordToReference(await passwords.hash('battery staple'))!.split(':')
  assert.equal(scryptSync('battery staple', salt!, 64).toString('hex'), key)
})

test('what the reference has no form for is not handed to it, and what is no hash of it is refused', () => {
  assert.equal(passwordToReference(NO_PASSWORD), undefined)
  assert.equal(passwordToReference('scrypt$32768$8$1$MDA=$MDA='), undefined, 'another cost')
  assert.equal(passwordToReference('scrypt$16384$8$1$/w==$MDA='), undefined, 'a salt that is no text')
  for (const hash of ['', 'abc', 'salt:', ':00', 'salt:xyz'])
    assert.throws(() => passwordFromReference(hash), /not of the form salt:key/)
})
