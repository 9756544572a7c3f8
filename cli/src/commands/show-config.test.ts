import assert from 'node:assert/strict'
import test from 'node:test'
import { bool, defineConfig, describeConfig, text } from '@imago/service'
import { configText } from './show-config.ts'

const definition = defineConfig('X_', {
  one: { env: 'X_ONE', kind: text, default: 'a', aliases: ['X_UNO'], doc: `${'long '.repeat(30)}end.` },
  key: { env: 'X_KEY', kind: text, required: true, secret: true, doc: 'Signs.' },
  flag: { env: 'X_FLAG', kind: bool, default: false, doc: 'Whether.' },
})

test('settings are told with kind, default, aliases and what is set, and secrets are not shown', () => {
  const printed = configText(describeConfig(definition, { X_KEY: 'hunter2', X_FLAG: 'yes' }))
  assert.match(printed, /^X_ONE\n/)
  assert.match(printed, /\n {4}text · default a · also X_UNO\n/)
  assert.match(printed, /\nX_KEY\n {4}Signs\.\n {4}text · required · now \(set\)\n/)
  assert.match(printed, /true or false · default false · now yes/)
  assert.doesNotMatch(printed, /hunter2/)
})

test('long meanings are wrapped at words, to the width that there is', () => {
  const printed = configText(describeConfig(definition), { columns: 60 })
  const lines = printed.split('\n')
  assert.ok(lines.every((line) => line.length <= 60))
  assert.equal(printed.match(/long/g)?.length, 30)
})
