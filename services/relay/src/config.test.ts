import assert from 'node:assert/strict'
import test from 'node:test'
import { describeConfig, loadConfig } from '@imago/service'
import { relayConfig, relayConfigOf } from './config.ts'

test('the settings have the names and the defaults of other relays', () => {
  const settings = loadConfig(relayConfig, {})
  assert.deepEqual(settings.apiBind, { hostname: undefined, port: 2470 })
  assert.deepEqual(relayConfigOf(settings), {
    databaseFile: 'data/relay/relay.sqlite',
    logFolder: 'data/relay/events',
    replayWindowMs: 72 * 60 * 60_000,
    initialSeq: 1,
    requestCrawl: true,
    newHostsPerDay: 50,
    allowInsecureHosts: false,
    lenientSyncValidation: false,
    hostConcurrency: 40,
  })
  const shown = describeConfig(relayConfig).find(({ env }) => env === 'RELAY_DATABASE_URL')
  assert.equal(shown?.default, 'sqlite://data/relay/relay.sqlite')
})

test('a database is a file, as others write it or plainly', () => {
  const fileOf = (url: string) => loadConfig(relayConfig, { DATABASE_URL: url }).databaseFile
  assert.equal(fileOf('sqlite://data/relay/relay.sqlite'), 'data/relay/relay.sqlite')
  assert.equal(fileOf('sqlite:///var/relay.sqlite'), '/var/relay.sqlite')
  assert.equal(fileOf('/var/relay.sqlite'), '/var/relay.sqlite')
  for (const url of ['postgres://localhost/relay', 'sqlite://'])
    assert.throws(() => fileOf(url), /RELAY_DATABASE_URL|DATABASE_URL: .*expected SQLite file/)
})

test('a name that is no setting is refused with the nearest one', () => {
  assert.throws(() => loadConfig(relayConfig, { RELAY_REPLAY_WINDO: '1h' }), /RELAY_REPLAY_WINDOW/)
})
