import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { promisify } from 'node:util'
import { fromHex } from '@imago/data/multibase'
import { lowerS } from './compact-signature.ts'
import { CURVES } from './curves.ts'
import { k256 } from './k256-node.ts'

const SECRET = new Uint8Array(32).fill(1)
const MESSAGE = new Uint8Array(3)

/** Run in another process, because this one has loaded the addon already. */
const WITHOUT_ADDON = `
  import { registerHooks } from 'node:module'
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'secp256k1/bindings.js') throw new Error('no native build was found')
      return next(specifier, context)
    },
  })
  const { k256 } = await import(${JSON.stringify(import.meta.resolve('./k256-node.ts'))})
  const signature = k256.openSecretKey(new Uint8Array(32).fill(1)).sign(new Uint8Array(3))
  console.log(k256.library, Buffer.from(signature).toString('hex'))
`

test('where the addon cannot be loaded, the portable library takes its place and says so', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', WITHOUT_ADDON])
  const [library, signature] = stdout.trim().split(' ')
  assert.equal(library, '@noble/curves')
  const verify = k256.openPublicKey(k256.openSecretKey(SECRET).point)
  assert(verify(MESSAGE, lowerS(fromHex(signature!), CURVES.k256)))
})
