import assert from 'node:assert/strict'
import test from 'node:test'
import { freePort, missingForMemory, residentBytes, startServer } from './server-process.ts'

const node = (script: string) => [process.execPath, '-e', script] as const
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a server is waited for by its line, and is gone after use', async () => {
  let pid: number
  {
    await using server = await startServer({
      command: node(`console.log('not ready yet'); console.log('ready now'); setInterval(() => {}, 1000)`),
      ready: { line: 'ready' },
    })
    pid = server.pid
    assert.ok(isAlive(pid))
    assert.ok(server.readyAfterMs > 0)
    if (missingForMemory() === undefined) assert.ok(residentBytes(pid) > 10e6)
  }
  assert.ok(!isAlive(pid))
})

test('a server is waited for at its address', async () => {
  const port = await freePort()
  await using server = await startServer({
    command: node(`let asked = 0
        require('node:http').createServer((_, response) => {
          response.statusCode = ++asked < 3 ? 503 : 200
          response.end(String(asked))
        }).listen(${port}, 'localhost')`),
    ready: { url: `http://localhost:${port}/` },
  })
  assert.ok(server.pid > 0)
  assert.equal(await (await fetch(`http://localhost:${port}/`)).text(), '4')
})

test('a server that ends before it is ready is an error that tells what it said', async () => {
  await assert.rejects(
    startServer({
      command: node(`console.error('no such setting'); process.exit(2)`),
      ready: { line: 'ready' },
    }),
    /ended before it was ready[\s\S]*no such setting/,
  )
})
