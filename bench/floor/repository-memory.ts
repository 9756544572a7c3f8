import { execFileSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseDidKey } from '@imago/crypto'
import { verifyRepoStream } from '@imago/repo'
import { repositoryCar } from '../inputs/repository-car.ts'

// `repository-memory.ts COUNT` prints what verifying a repository of COUNT records adds to the memory of a process that
// has verified a small one. Started anew per step: whoever makes a large repository has used memory for that.

const [, , count, file] = process.argv
const SMALL = 2000

if (file === undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'repository-'))
  try {
    const [small, large] = [join(folder, 'small.car'), join(folder, 'large.car')]
    const self = fileURLToPath(import.meta.url)
    const run = (...args: string[]) => execFileSync(process.execPath, [self, ...args], { encoding: 'utf8' })
    run(String(SMALL), small)
    const { key, fileBytes } = JSON.parse(run(count!, large))
    process.stdout.write(JSON.stringify({ fileBytes, ...JSON.parse(run('verify', small, large, key)) }))
  } finally {
    await rm(folder, { recursive: true })
  }
} else if (count === 'verify') {
  const [, , , small, large, key] = process.argv
  const publicKey = parseDidKey(key!)
  const verify = async (path: string) => {
    let verified = 0
    const { records } = await verifyRepoStream(createReadStream(path), { key: publicKey })
    for await (const batch of records) verified += batch.length
    return verified
  }
  await verify(small!)
  const peakBytes = () => process.resourceUsage().maxRSS * 1024
  const before = peakBytes()
  const start = performance.now()
  const verified = await verify(large!)
  const seconds = (performance.now() - start) / 1000
  process.stdout.write(JSON.stringify({ verified, growthBytes: peakBytes() - before, seconds }))
} else {
  const { key, chunks } = repositoryCar({ seed: 3, records: Number(count) })
  await using handle = await open(file, 'w')
  let fileBytes = 0
  for (const chunk of chunks()) {
    await handle.write(chunk)
    fileBytes += chunk.length
  }
  process.stdout.write(JSON.stringify({ key: key.didKey, fileBytes }))
}
