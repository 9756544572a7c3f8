import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

/** The floors of ARCHITECTURE.md: a package imports only from floors below its own. */
const FLOORS: Readonly<Record<string, number>> = {
  '@imago/syntax': 0,
  '@imago/data': 1,
  '@imago/crypto': 2,
  '@imago/lexicon': 2,
  '@imago/atproto': 3,
  '@imago/repo': 3,
  '@imago/identity': 3,
  '@imago/xrpc': 3,
  '@imago/tlog': 3,
  '@imago/sync': 4,
  '@imago/log': 5,
  '@imago/object-store': 5,
  '@imago/service': 6,
  '@imago/object-store-s3': 6,
  '@imago/plc': 7,
  '@imago/pds': 7,
  '@imago/relay': 7,
  '@imago/jetstream': 7,
  '@imago/witness': 7,
  '@imago/cli': 8,
  '@imago/sim': 8,
}
const HIGHEST_ISOMORPHIC_FLOOR = 4
const NODE_ONLY = /(^|\/)node\.ts$|-node\.ts$/
const PEERS = /^@(atproto|atproto-labs|atcute|skyware|did-plc)\//
const MAY_READ_PROCESS = [/\/main\.ts$/, /^packages\/service\/src\/config\.ts$/, /^cli\//, /^packages\/sim\//]

const root = fileURLToPath(new URL('..', import.meta.url))

interface Room {
  readonly name: string
  readonly dir: string
  readonly dependencies: readonly string[]
}

const rooms: readonly Room[] = globSync('{packages/*,services/*,cli}/package.json', { cwd: root }).map(
  (path) => {
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8'))
    return { name: manifest.name, dir: dirname(path), dependencies: Object.keys(manifest.dependencies ?? {}) }
  },
)

interface Import {
  readonly file: string
  readonly specifier: string
}

function sources(room: Room): string[] {
  return globSync(`${room.dir}/src/**/*.ts`, { cwd: root })
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s+'([^'$]+)'|import\('([^'$]+)'\)|(?:^|\n)import\s+'([^'$]+)'/g,
  )
  return [...found].map((match) => ({ file, specifier: (match[1] ?? match[2] ?? match[3])! }))
}

const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
const isTest = (file: string) => /\.(test|contract|fixture|fuzz|bench)\.ts$/.test(file)
const production = (room: Room) =>
  sources(room)
    .filter((file) => !isTest(file))
    .flatMap(importsOf)

test('every package stands on a floor', () => {
  assert.deepEqual(rooms.map((room) => room.name).sort(), Object.keys(FLOORS).sort())
})

test('imports are declared, and point to lower floors', () => {
  const wrong: string[] = []
  for (const room of rooms)
    for (const { file, specifier } of production(room)) {
      if (/^[.#]/.test(specifier) || specifier.startsWith('node:') || builtinModules.includes(specifier))
        continue
      const target = packageOf(specifier)
      if (target === room.name) continue
      if (!room.dependencies.includes(target))
        wrong.push(`${file}: ${specifier} is not declared in ${room.dir}/package.json`)
      if (target in FLOORS && FLOORS[target]! >= FLOORS[room.name]!)
        wrong.push(`${file}: ${specifier} is not below ${room.name}`)
    }
  assert.deepEqual(wrong, [])
})

test('relative imports stay inside their package', () => {
  const wrong: string[] = []
  for (const room of rooms)
    for (const file of sources(room))
      for (const { specifier } of importsOf(file)) {
        if (!specifier.startsWith('.')) continue
        const target = join(dirname(file), specifier)
        if (!target.startsWith(`${room.dir}/src`)) wrong.push(`${file}: ${specifier}`)
        else if (!existsSync(join(root, target))) wrong.push(`${file}: ${specifier} does not exist`)
      }
  assert.deepEqual(wrong, [])
})

test('floors 0 to 4 run anywhere: no node: import outside a Node-only file', () => {
  const wrong = rooms
    .filter((room) => FLOORS[room.name]! <= HIGHEST_ISOMORPHIC_FLOOR)
    .flatMap(production)
    .filter(
      ({ file, specifier }) =>
        !NODE_ONLY.test(file) && (specifier.startsWith('node:') || builtinModules.includes(specifier)),
    )
  assert.deepEqual(wrong, [])
})

test('no peer is a dependency at run time', () => {
  const wrong = rooms.flatMap((room) => [
    ...room.dependencies.filter((name) => PEERS.test(name)),
    ...production(room).filter(({ specifier }) => PEERS.test(specifier)),
  ])
  assert.deepEqual(wrong, [])
})

test('only entry points, the config loader and the command line read the process', () => {
  const wrong = rooms.flatMap((room) =>
    sources(room).filter(
      (file) =>
        !isTest(file) &&
        !MAY_READ_PROCESS.some((allowed) => allowed.test(file)) &&
        /\bprocess\.(env|argv|exit|stdout|stderr|on|cwd)\b/.test(readFileSync(join(root, file), 'utf8')),
    ),
  )
  assert.deepEqual(wrong, [])
})

test('every declared dependency is used', () => {
  const unused = rooms.flatMap((room) => {
    const used = new Set(production(room).map(({ specifier }) => packageOf(specifier)))
    return room.dependencies.filter((name) => !used.has(name)).map((name) => `${room.dir}: ${name}`)
  })
  assert.deepEqual(unused, [])
})

test('every package has a README', () => {
  assert.deepEqual(
    rooms.filter((room) => !existsSync(join(root, room.dir, 'README.md'))).map((room) => room.dir),
    [],
  )
})
