import assert from 'node:assert/strict'
import test from 'node:test'
import { createMemoryStore } from '@imago/object-store/memory'
import { LEASE_MS, takeLease } from './lease.ts'

function fixture() {
  const store = createMemoryStore()
  const alive = new Set([1, 2])
  let nowMs = 1_000_000
  let made = 0
  const ports = (pid: number, machine = 'here') => ({
    store,
    holder: { machine, pid },
    isAlive: (other: number) => alive.has(other),
    now: () => nowMs,
    randomId: () => `id-${made++}`,
  })
  return { store, alive, ports, advance: (ms: number) => (nowMs += ms) }
}

test('backups go side by side, and whoever must be alone waits for all of them', async () => {
  const { store, ports } = fixture()
  {
    await using first = await takeLease(ports(1), 'backup')
    await using second = await takeLease(ports(2), 'backup')
    assert.ok(first && second)
    assert.equal(await takeLease(ports(2), 'alone'), undefined)
  }
  assert.equal(store.objects.size, 0, 'nothing is left behind')
  await using alone = await takeLease(ports(1), 'alone')
  assert.ok(alone)
  assert.equal(await takeLease(ports(2), 'alone'), undefined)
  assert.equal(await takeLease(ports(2), 'backup'), undefined)
})

test('of two that want to be alone at the same moment, not both are', async () => {
  const { ports } = fixture()
  const leases = await Promise.all([takeLease(ports(1), 'alone'), takeLease(ports(2), 'alone')])
  assert.ok(leases.filter((lease) => lease !== undefined).length <= 1)
  for (const lease of leases) await lease?.[Symbol.asyncDispose]()
})

test('the lease of a dead process of this machine is removed at once, that of another machine after its time', async () => {
  const { store, alive, ports, advance } = fixture()
  await takeLease(ports(1), 'alone')
  alive.delete(1)
  {
    await using lease = await takeLease(ports(2), 'alone')
    assert.ok(lease)
    assert.equal(store.objects.size, 1)
  }
  await takeLease(ports(1, 'elsewhere'), 'alone')
  assert.equal(await takeLease(ports(2), 'backup'), undefined, 'its process ids say nothing here')
  advance(LEASE_MS + 1)
  await using lease = await takeLease(ports(2), 'backup')
  assert.ok(lease)
})

test('a holder that was away for long does not rely on its lease', async () => {
  const { ports, advance } = fixture()
  await using lease = await takeLease(ports(1), 'backup')
  lease!.assertHeld()
  advance(LEASE_MS)
  assert.throws(() => lease!.assertHeld(), { code: 'LeaseLost' })
})

test('what lies there and is no lease is in nobody’s way', async () => {
  const { store, ports } = fixture()
  store.objects.set('leases/note.json', new TextEncoder().encode('hello'))
  await using lease = await takeLease(ports(1), 'alone')
  assert.ok(lease)
})
