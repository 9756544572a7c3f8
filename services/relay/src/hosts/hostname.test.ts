import assert from 'node:assert/strict'
import test from 'node:test'
import { isLoopbackHost, originOfHost, parseHostname } from './hostname.ts'

const strict = { allowInsecure: false }
const development = { allowInsecure: true }

test('host names are taken as people write them', () => {
  for (const [given, hostname] of [
    ['pds.example.com', 'pds.example.com'],
    [' https://PDS.Example.com/ ', 'pds.example.com'],
    ['wss://pds.example.com', 'pds.example.com'],
    ['a-b.xn--p1ai', 'a-b.xn--p1ai'],
  ] as const)
    assert.deepEqual(parseHostname(given, strict), { hostname }, given)
})

test('what is no public host name is refused with a reason', () => {
  for (const given of [
    '',
    'localhost',
    'localhost:2583',
    'example',
    'pds.example.com:8080',
    '10.0.0.1',
    '2130706433',
    '0x7f.1',
    '[::1]',
    '::1',
    'pds.example.com/path',
    'user@pds.example.com',
    'pds..example.com',
    '-a.example.com',
    'a_b.example.com',
    'pds.example.com.',
    'pds.example.1com',
    `${'a'.repeat(64)}.example.com`,
    `${'a.'.repeat(130)}com`,
    'пдс.example.com',
  ]) {
    const parsed = parseHostname(given, strict)
    assert.ok('problem' in parsed && parsed.problem.length > 10, given)
  }
})

test('a development network has localhost and its ports, and nothing else besides', () => {
  assert.deepEqual(parseHostname('http://localhost:2583', development), { hostname: 'localhost:2583' })
  assert.deepEqual(parseHostname('localhost', development), { hostname: 'localhost' })
  for (const given of ['localhost:0', 'localhost:65536', '127.0.0.1:2583', 'pds.example.com:2583'])
    assert.ok('problem' in parseHostname(given, development), given)
})

test('only loopback is spoken to without TLS', () => {
  assert.equal(originOfHost('pds.example.com'), 'https://pds.example.com')
  assert.equal(originOfHost('localhost:2583'), 'http://localhost:2583')
  assert.ok(!isLoopbackHost('localhost.example.com'))
})
