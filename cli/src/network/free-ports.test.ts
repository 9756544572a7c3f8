import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import test from 'node:test'
import { CliError, EXIT } from '../cli-error.ts'
import type { Addresses } from './addresses.ts'
import { assertPortsFree } from './free-ports.ts'

async function listen(host: string) {
  const server = createServer()
  server.listen({ port: 0, host })
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

/** Ports that the system has just given out, and taken back. */
async function freePorts(count: number): Promise<number[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => listen('127.0.0.1')))
  await Promise.all(opened.map(({ server }) => new Promise((resolve) => server.close(resolve))))
  return opened.map(({ port }) => port)
}

const addressesOf = ([console, plc, pds, relay, jetstream]: number[]) =>
  Object.fromEntries(
    Object.entries({ console, plc, pds, relay, jetstream }).map(([name, port]) => [
      name,
      { port, url: `http://localhost:${port}` },
    ]),
  ) as Addresses

test('a port in use is named with its part, the cause and the way around', async () => {
  const ports = await freePorts(5)
  const { server, port } = await listen('127.0.0.1')
  try {
    ports[2] = port
    await assert.rejects(assertPortsFree(addressesOf(ports), 0), (error) => {
      assert.ok(error instanceof CliError)
      assert.equal(error.exitCode, EXIT.portInUse)
      assert.match(error.message, new RegExp(`^port ${port} \\(PDS\\) is in use: another program`))
      assert.match(error.message, /imago up --port-offset 1000$/)
      return true
    })
  } finally {
    server.close()
  }
})

test('all ports in use mean that the network runs already', async () => {
  const opened = await Promise.all(Array.from({ length: 5 }, () => listen('127.0.0.1')))
  try {
    const addresses = addressesOf(opened.map(({ port }) => port))
    await assert.rejects(assertPortsFree(addresses, 1000), {
      message: /seems to run already: see http:\/\/localhost:\d+\.\n.*--port-offset 2000$/,
    })
  } finally {
    for (const { server } of opened) server.close()
  }
})

test('free ports are no matter', async () => {
  await assertPortsFree(addressesOf(await freePorts(5)), 0)
})
