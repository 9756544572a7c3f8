import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { parseEnv } from 'node:util'
import { defineConfig, text } from '@imago/service'
import { configurationOf, environmentFile } from './configuration.ts'

const definition = defineConfig('X_', {
  plain: { env: 'X_PLAIN', kind: text, default: 'a', aliases: ['X_OLD'], doc: '.' },
  key: { env: 'X_KEY', kind: text, required: true, secret: true, doc: '.' },
})
const env = { X_OLD: 'b', X_KEY: 'hunter2', PATH: '/bin', X_OTHER: '1' }

test('[trap 67] secrets of the environment are in an encrypted backup, and named where they are not in it', () => {
  assert.deepEqual(configurationOf(definition, env, { withSecrets: true }), {
    environment: { X_OLD: 'b', X_KEY: 'hunter2' },
    keepYourself: [],
  })
  assert.deepEqual(configurationOf(definition, env, { withSecrets: false }), {
    environment: { X_OLD: 'b' },
    keepYourself: ['X_KEY'],
  })
})

const VALUES = {
  A: 'https://pds.example.com:2583/?a=b&c=%20',
  B: '',
  C: 'two words # no comment',
  D: 'smtp://user:"p$w`d\\x"@host',
}

test('an environment file says the same to Node and to a shell', () => {
  assert.deepEqual({ ...parseEnv(environmentFile(VALUES)) }, VALUES)
  const all = { ...VALUES, E: `it's "$HOME" \`x\` \\n`, F: 'two\nlines' }
  const script = `${environmentFile(all)}for name in ${Object.keys(all).join(' ')}; do eval "printf '%s\\0' \\"\\$$name\\""; done`
  const printed = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
  assert.deepEqual(printed, Object.values(all))
})
