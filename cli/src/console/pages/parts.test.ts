import assert from 'node:assert/strict'
import test from 'node:test'
import { json, milliseconds, size } from './parts.ts'

test('JSON keeps every character, and nothing in it becomes markup', async () => {
  const value = {
    'a"<b>': '</code><script>alert("x\\")</script>',
    list: [1, -2.5e-7, true, null, 'true'],
    empty: {},
    'ключ 🦋': '\u2028\n',
  }
  const markup = String(await json(value))
  const text = markup
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
  assert.equal(text, JSON.stringify(value, null, 2))
  assert.equal(markup.includes('<script'), false)
  assert.match(markup, /<span class="k">&quot;list&quot;<\/span>:/)
  assert.match(markup, /<span class="s">&quot;true&quot;<\/span>/)
  assert.match(markup, /<span class="w">true<\/span>/)
  assert.match(markup, /<span class="n">-2\.5e-7<\/span>/)
})

test('figures are told in units that people read', () => {
  assert.deepEqual([0.04, 9.96, 10.4, 1234].map(milliseconds), ['0.0 ms', '10.0 ms', '10 ms', '1234 ms'])
  assert.deepEqual([999, 1000, 2_345_678].map(size), ['999 bytes', '1.0 kB', '2.3 MB'])
})
