import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { sniffMimeType } from './sniff-mime-type.ts'

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))

test('[B2] signatures tell the type', () => {
  for (const [prefix, type] of [
    ['\x89PNG\r\n\x1a\n....', 'image/png'],
    ['\xff\xd8\xff\xe0', 'image/jpeg'],
    ['RIFF....WEBPVP8 ', 'image/webp'],
    ['RIFF....WAVEfmt ', 'audio/wav'],
    ['\0\0\0\x20ftypisom', 'video/mp4'],
    ['\0\0\0\x20ftypavif', 'image/avif'],
    ['<svg onload=x>', undefined],
    ['RIFF', undefined],
    ['', undefined],
  ] as const)
    assert.equal(sniffMimeType(latin1(prefix)), type)
})

test('no bytes make it fail', () => {
  const random = createRandom(1)
  for (let i = 0; i < 500; i++) sniffMimeType(random.bytes(random.int(64)))
})
