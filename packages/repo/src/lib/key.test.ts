import assert from 'node:assert/strict'
import test from 'node:test'
import { isRepoPath, isTreeKey } from './key.ts'

test('a repository path is an NSID, a slash and a record key', () => {
  for (const path of ['app.bsky.feed.post/3jzfcijpj2z2a', 'app.bsky.actor.profile/self', 'a.b.c/~1:.-_'])
    assert.ok(isRepoPath(path) && isTreeKey(path), path)
  const wrong = [
    '',
    '/',
    'a.b.c',
    'a.b.c/',
    '/self',
    'a.b/self',
    'a.b.c/d/e',
    'a.b.c/.',
    'a.b.c/..',
    'a.b.c/d e',
    'a.b.c/ö',
  ]
  for (const path of wrong) assert.ok(!isRepoPath(path), path)
  assert.ok(isRepoPath(`a.b.c/${'d'.repeat(512)}`))
  assert.ok(!isRepoPath(`a.b.c/${'d'.repeat(513)}`))
  assert.ok(!isRepoPath(undefined))
})

test('a tree holds whatever has two parts of path characters, up to 1024', () => {
  for (const key of ['A0/374913', 'a/b', `a/${'b'.repeat(1022)}`]) assert.ok(isTreeKey(key), key)
  for (const key of ['', 'a', '/a', 'a/', 'a/b/c', 'a/b c', 'a/\u0141', `a/${'b'.repeat(1023)}`])
    assert.ok(!isTreeKey(key), key)
})
