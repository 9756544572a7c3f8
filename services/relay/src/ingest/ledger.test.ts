import assert from 'node:assert/strict'
import test from 'node:test'
import { openMemoryLog } from '@imago/log/memory'
import { ACTIVE, type Account } from '../state/account.ts'
import { openSqliteStateStore } from '../state/state-store-sqlite.ts'
import { HostPosition } from './host-position.ts'
import { createLedger } from './ledger.ts'

const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const account: Account = { did, host: 'pds.example.com', upstream: ACTIVE, local: 'active' }
const entry = (text: string) => ({ key: 'pds.example.com 1', encode: () => Buffer.from(text) })

function setUp(fault?: Error) {
  const state = openSqliteStateStore(':memory:')
  state.addHost(account.host, 'active', 0)
  const memory = openMemoryLog({ now: () => 0 })
  const log = {
    ...memory,
    get head() {
      return memory.head
    },
    append: async (entries: Parameters<typeof memory.append>[0]) => {
      if (fault) throw fault
      return await memory.append(entries)
    },
  }
  const failures: unknown[] = []
  const ledger = createLedger({ log, state, onFailure: (error) => failures.push(error) })
  const position = new HostPosition(state.host(account.host)!)
  return { state, log, ledger, position, failures }
}

test('an account is known as settled before it is durable, and the state follows the log', async () => {
  const { state, log, ledger, position } = setUp()
  ledger.settle({ position, ticket: position.begin(1, 1)!, entries: [entry('a')], account })
  assert.equal(ledger.account(did), account)
  assert.equal(state.account(did), undefined)
  ledger.settle({ position, ticket: position.begin(2, 1)!, entries: [] })
  await ledger.idle()
  assert.deepEqual([log.head, state.covered], [1, 1])
  assert.deepEqual(state.account(did), account)
  assert.equal(state.host(account.host)!.cursor, 2)
})

test('when the log takes nothing more, neither does the ledger, and the state stays as it was', async () => {
  const fault = new Error('the disk is full')
  const { state, ledger, position, failures } = setUp(fault)
  ledger.settle({ position, ticket: position.begin(1, 1)!, entries: [entry('a')], account })
  await ledger.idle()
  await Promise.resolve()
  assert.deepEqual(failures, [fault])
  assert.equal(ledger.failure, fault)
  assert.ok(ledger.isClosed)
  ledger.settle({ position, ticket: position.begin(2, 1)!, entries: [entry('b')] })
  await ledger.idle()
  assert.deepEqual(failures, [fault], 'told once')
  assert.deepEqual([state.covered, state.account(did)], [0, undefined])
  assert.equal(state.host(account.host)!.cursor, 0)
})

test('a closed ledger finishes what it has, and takes nothing more', async () => {
  const { log, ledger, position } = setUp()
  ledger.settle({ position, ticket: position.begin(1, 1)!, entries: [entry('a')] })
  await ledger.close()
  ledger.settle({ position, ticket: position.begin(2, 1)!, entries: [entry('b')] })
  await ledger.idle()
  assert.equal(log.head, 1)
})
