import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { createGenesis, updateOperation } from '@imago/identity/plc'
import { imago } from './imago-command.ts'
import { startService } from './plc-process.ts'

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'imago-people-'))
  try {
    await body(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a person takes the keys of an account, loses the account to a thief, and takes it back', () =>
  inFolder(async (folder) => {
    await using plc = await startService('plc', { PLC_DATABASE_FILE: join(folder, 'plc.sqlite') })
    const at = (name: string) => join(folder, name)
    const env = { PLC_URL: plc.url, KEY_PASSPHRASE: 'correct horse battery staple' }
    const run = async (...args: string[]) => {
      const done = await imago(args, { env })
      assert.equal(done.code, 0, `imago ${args.join(' ')}: ${done.stdout}${done.stderr}`)
      return done.stdout
    }
    const fails = async (code: number, message: RegExp, ...args: string[]) => {
      const done = await imago(args, { env })
      assert.equal(done.code, code, `imago ${args.join(' ')}: ${done.stdout}${done.stderr}`)
      assert.match(done.stdout + done.stderr, message)
    }

    // What a host sets up, with its own key alone.
    const host = generateKeypair('k256')
    const { did, operation: genesis } = createGenesis(
      {
        rotationKeys: [host.didKey],
        verificationMethods: { atproto: host.didKey },
        alsoKnownAs: ['at://alice.test'],
        services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://pds.test' } },
      },
      host,
    )
    const submit = async (operation: unknown) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${plc.url}/${did}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(operation),
      })
      assert.equal(answer.status, 200, await answer.text())
    }
    await submit(genesis)
    writeFileSync(
      at('host.json'),
      JSON.stringify({
        format: 'imago-key@v1',
        curve: 'k256',
        didKey: host.didKey,
        secret: host.exportSecret().toHex(),
      }),
    )

    const [mine] = (await run('key', 'generate', '--out', at('mine.json'))).split('\n')
    assert.equal(statSync(at('mine.json')).mode & 0o777, 0o600)
    assert.ok(!readFileSync(at('mine.json'), 'utf8').includes('"secret"'))
    await fails(2, /exists already: a key is never overwritten/, 'key', 'generate', '--out', at('mine.json'))
    assert.match(await run('key', 'show', at('mine.json')), /curve p256, kept under a passphrase/)

    await fails(1, /is not a rotation key of did:plc/, 'plc', 'drill', did, '--key', at('mine.json'))
    await fails(2, /say --yes/, 'plc', 'add-key', did, mine!, '--key', at('host.json'))
    const added = await run('plc', 'add-key', did, mine!, '--key', at('host.json'), '--yes')
    assert.match(added, new RegExp(`\\+ rotation key 1: ${mine}`))
    assert.match(
      await run('plc', 'drill', did, '--key', at('mine.json')),
      /The key works.*could undo what these sign/s,
    )

    // On paper and in parts, the key is the same.
    writeFileSync(at('words.txt'), await run('key', 'words', at('mine.json')))
    const shares = (await run('key', 'split', at('mine.json'))).trim().split('\n')
    writeFileSync(at('shares.txt'), `${shares[2]}\n${shares[0]}\n`)
    for (const form of ['words.txt', 'shares.txt']) {
      const { position } = JSON.parse(await run('plc', 'drill', did, '--key', at(form), '--json'))
      assert.equal(position, 0)
      await run('key', 'restore', at(form), '--out', at(`from-${form}`), '--unprotected')
      assert.equal(JSON.parse(await run('key', 'show', at(`from-${form}`), '--json')).didKey, mine)
    }

    // The host's key is stolen.
    const log = (await (await fetch(`${plc.url}/${did}/log/last`)).json()) as typeof genesis
    const thief = generateKeypair('k256')
    await submit(
      updateOperation(log, { rotationKeys: [thief.didKey], alsoKnownAs: ['at://mallory.test'] }, host),
    )

    await fails(1, /can undo nothing/, 'plc', 'recover', did, '--key', at('host.json'), '--dry-run')
    const dry = JSON.parse(
      await run('plc', 'recover', did, '--key', at('mine.json'), '--dry-run', '--json').then(
        (out) => out.split('\n')[0]!,
      ),
    )
    assert.ok(dry.remainingMs > 71 * 3_600_000)
    const rescued = await run('plc', 'recover', did, '--key', at('shares.txt'), '--undo', dry.undo, '--yes')
    assert.match(rescued, /yours wins, for another 71 h/)
    const history = await run('plc', 'history', did)
    assert.match(history, /update {2}\(undone\)/)
    assert.match(history, /undone after 0 min by key 1 of 2, which outranks it/)
    assert.deepEqual(
      JSON.parse(await run('plc', 'history', did, '--json')).map(({ kind }: { kind: string }) => kind),
      ['genesis', 'update', 'update', 'recovery'],
    )
    assert.match(await run('plc', 'verify', did), /4 operations, 1 of them undone, all valid/)

    writeFileSync(at('changes.json'), JSON.stringify({ alsoKnownAs: ['at://alice.example'] }))
    writeFileSync(
      at('signed.json'),
      await run('plc', 'sign', did, '--key', at('mine.json'), '--changes', at('changes.json')),
    )
    assert.match(await run('plc', 'submit', did, at('signed.json'), '--yes'), /\+ at:\/\/alice\.example/)
    await run('plc', 'remove-key', did, host.didKey, '--key', at('mine.json'), '--yes')
    await fails(
      2,
      /the only rotation key/,
      'plc',
      'remove-key',
      did,
      mine!,
      '--key',
      at('mine.json'),
      '--yes',
    )
    await run('plc', 'tombstone', did, '--key', at('mine.json'), '--yes')
    await fails(
      2,
      /does not outrank the one that went on from there/,
      'plc',
      'submit',
      did,
      at('signed.json'),
      '--yes',
    )
  }))
