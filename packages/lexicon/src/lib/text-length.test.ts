import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { fewerGraphemes, longer, moreGraphemes, shorter, utf8Length } from './text-length.ts'

const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom('a', '\r', '\n', 'é', '日', '👩‍👩‍👦‍👦', '\ud800', '\udc00', '\u0301')),
})
const encoder = new TextEncoder()

test('lengths count bytes of UTF-8, as an encoder would write them', () => {
  fc.assert(
    fc.property(anyText, fc.nat(40), (text, limit) => {
      const bytes = encoder.encode(text).length
      assert.equal(utf8Length(text), bytes)
      assert.equal(longer(text, limit), bytes > limit)
      assert.equal(shorter(text, limit), bytes < limit)
    }),
    { seed: 1, numRuns: 300 },
  )
})

test('graphemes count what a reader sees as one character', () => {
  const segmenter = new Intl.Segmenter('en')
  fc.assert(
    fc.property(anyText, fc.nat(12), (text, limit) => {
      const graphemes = [...segmenter.segment(text)].length
      assert.equal(moreGraphemes(text, limit), graphemes > limit, `${JSON.stringify(text)} has ${graphemes}`)
      assert.equal(fewerGraphemes(text, limit), graphemes < limit, `${JSON.stringify(text)} has ${graphemes}`)
    }),
    { seed: 2, numRuns: 300 },
  )
})

test('a family is one grapheme, and a line end of two characters is one', () => {
  assert.equal(moreGraphemes('👩‍👩‍👦‍👦', 1), false)
  assert.equal(fewerGraphemes('👩‍👩‍👦‍👦', 2), true)
  assert.equal(moreGraphemes('\r\n', 1), false)
})
