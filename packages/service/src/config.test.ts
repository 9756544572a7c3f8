import assert from 'node:assert/strict'
import test from 'node:test'
import { ConfigError, defineConfig, describeConfig, loadConfig } from './config.ts'
import {
  bool,
  bytes,
  choice,
  duration,
  integer,
  list,
  listenAddress,
  port,
  text,
  url,
} from './lib/config-kinds.ts'

const definition = defineConfig('TEST_', {
  hostname: { env: 'TEST_HOSTNAME', kind: text, default: 'localhost', doc: 'Name that clients use.' },
  port: { env: 'TEST_PORT', kind: port, default: 2583, doc: 'Port to listen on.' },
  adminPassword: {
    env: 'TEST_ADMIN_PASSWORD',
    kind: text,
    required: true,
    secret: true,
    doc: 'For operators.',
  },
  plcUrl: { env: 'TEST_DID_PLC_URL', kind: url, aliases: ['PLC_URL'], doc: 'Directory of did:plc.' },
  pin: { env: 'TEST_PIN', kind: integer({ min: 1000, max: 9999 }), secret: true, doc: 'Digits.' },
})
const required = { TEST_ADMIN_PASSWORD: 'hunter2' }

function problemsOf(env: Record<string, string>): Record<string, string> {
  try {
    loadConfig(definition, env)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    for (const { env, message } of error.problems) assert.ok(error.message.includes(`${env}: ${message}`))
    return Object.fromEntries(error.problems.map(({ env, message }) => [env, message]))
  }
  return {}
}

test('settings come from the environment, or from their defaults', () => {
  const config = loadConfig(definition, { ...required, TEST_PORT: ' 80 ', TEST_HOSTNAME: '', OTHER: 'x' })
  assert.deepEqual(config, { hostname: 'localhost', port: 80, adminPassword: 'hunter2' })
  // Types follow the table: a default or `required` makes a value certain.
  const certain: [string, number, string] = [config.hostname, config.port, config.adminPassword]
  const uncertain: string | undefined = config.plcUrl
  assert.deepEqual([certain.length, uncertain], [3, undefined])
})

test('everything that is wrong is reported at once', () => {
  const problems = problemsOf({ TEST_PORT: 'eighty', TEST_DID_PLC_URL: 'plc.directory', TEST_PROT: '1' })
  assert.deepEqual(Object.keys(problems).sort(), [
    'TEST_ADMIN_PASSWORD',
    'TEST_DID_PLC_URL',
    'TEST_PORT',
    'TEST_PROT',
  ])
  assert.match(problems['TEST_PORT']!, /'eighty' cannot be read: expected port number/)
  assert.match(problems['TEST_ADMIN_PASSWORD']!, /required: For operators/)
})

test('an unknown name in the namespace is refused with the nearest one', () => {
  assert.match(
    problemsOf({ ...required, TEST_HOSTNMAE: 'x' })['TEST_HOSTNMAE']!,
    /did you mean TEST_HOSTNAME\?/,
  )
  assert.match(
    problemsOf({ ...required, TEST_QUITE_DIFFERENT: 'x' })['TEST_QUITE_DIFFERENT']!,
    /see the list/,
  )
})

test('secrets are never shown', () => {
  const env = { TEST_ADMIN_PASSWORD: 'hunter2', TEST_PIN: '12-34' }
  assert.throws(
    () => loadConfig(definition, env),
    (error) =>
      error instanceof ConfigError && /TEST_PIN/.test(error.message) && !error.message.includes('12-34'),
  )
  assert.ok(!JSON.stringify(describeConfig(definition, env)).match(/hunter2|12-34/))
})

test('another name for a setting works, but not beside a different value', () => {
  const plc = 'https://plc.example'
  assert.equal(loadConfig(definition, { ...required, PLC_URL: plc }).plcUrl, plc)
  assert.equal(loadConfig(definition, { ...required, PLC_URL: plc, TEST_DID_PLC_URL: plc }).plcUrl, plc)
  const both = { ...required, PLC_URL: plc, TEST_DID_PLC_URL: 'https://other.example' }
  assert.match(problemsOf(both)['TEST_DID_PLC_URL']!, /also set as PLC_URL/)
})

test('the table describes itself', () => {
  const rows = describeConfig(definition, { ...required, TEST_PORT: '80' })
  assert.deepEqual(rows[1], {
    env: 'TEST_PORT',
    kind: 'port number from 0 to 65535',
    default: '2583',
    required: false,
    secret: false,
    aliases: [],
    doc: 'Port to listen on.',
    current: '80',
  })
  assert.equal(rows[2]!.current, '(set)')
})

test('two settings cannot claim one variable', () => {
  const row = { env: 'A_B', kind: text, doc: '' }
  assert.throws(
    () => defineConfig('A_', { one: row, two: { ...row, env: 'A_C', aliases: ['A_B'] } }),
    TypeError,
  )
})

test('kinds read what people write', () => {
  const cases = [
    [bool, 'yes', true],
    [bool, 'FALSE', false],
    [bool, 'maybe', undefined],
    [integer(), '-1', undefined],
    [integer({ min: -5 }), '-1', -1],
    [integer(), '1.5', undefined],
    [integer(), '9007199254740993', undefined],
    [port, '65536', undefined],
    [url, 'https://example.com/', 'https://example.com'],
    [url, 'ftp://example.com', undefined],
    [duration, '72h', 259_200_000],
    [duration, '1h30m', 5_400_000],
    [duration, '250', 250],
    [duration, '5 minutes', undefined],
    [bytes, '5mb', 5_242_880],
    [bytes, '1.5KiB', 1536],
    [bytes, '100', 100],
    [bytes, '100x', undefined],
    [choice('debug', 'info'), 'info', 'info'],
    [choice('debug', 'info'), 'loud', undefined],
    [list(integer()), '1, 2,,3', [1, 2, 3]],
    [list(integer()), '1,b', undefined],
    [listenAddress, ':2470', { hostname: undefined, port: 2470 }],
    [listenAddress, '127.0.0.1:80', { hostname: '127.0.0.1', port: 80 }],
    [listenAddress, '[::1]:80', { hostname: '::1', port: 80 }],
    [listenAddress, '80', { hostname: undefined, port: 80 }],
    [listenAddress, '::1:80', undefined],
  ] as const
  for (const [kind, input, expected] of cases) assert.deepEqual(kind.parse(input), expected, input)
})

test('kinds write defaults as people would', () => {
  assert.equal(duration.format(259_200_000), '3d')
  assert.equal(duration.format(1500), '1500ms')
  assert.equal(bytes.format(5_242_880), '5mb')
  assert.equal(bytes.format(1000), '1000')
  assert.equal(listenAddress.format({ hostname: '::1', port: 80 }), '[::1]:80')
  assert.equal(list(integer()).format([1, 2]), '1,2')
  assert.equal(choice('a', 'b').format('a'), 'a')
})
