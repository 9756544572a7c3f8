import assert from 'node:assert/strict'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { cidOfDrisl, cidOfRaw, DataError, decode, encode, fromJson, type Value } from '@imago/data'
import { vectorTest } from '@imago/sim/infrastructure'
import { createRandom, type Random } from '@imago/sim/random'
import { type BytesCheck, createBytesChecks } from './bytes.ts'
import { createCatalog } from './catalog.ts'
import type {
  Definition,
  FieldDefinition,
  LexiconDocument,
  ObjectDefinition,
  StringFormat,
} from './document.ts'
import { generate } from './generate.ts'
import type { Mode } from './issue.ts'
import { EVERY_PARAM, EVERYTHING, fields, names } from './lexicon.fuzz.ts'
import { pascalCase } from './lib/names.ts'
import { parseLexiconDocument } from './parse-document.ts'
import type { ParamsSchema, Schema } from './schema.ts'

// Validators that are made at run time and those that are generated ahead of time come from one resolved form. Here
// both judge the same values, and must say the same, word for word.

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const MODES: readonly Mode[] = ['strict', 'lenient', 'closed']

/** Every document under lexicons/. */
function committedDocuments(): LexiconDocument[] {
  return globSync('lexicons/**/*.json', { cwd: ROOT })
    .sort()
    .map((path) => parseLexiconDocument(JSON.parse(readFileSync(join(ROOT, path), 'utf8'))))
}

/** One property alone and required, so that no other fault hides its own. */
const SINGLES = names.map((name, index) =>
  parseLexiconDocument({
    lexicon: 1,
    id: `com.example.single.f${index}`,
    defs: {
      main: {
        type: 'object',
        properties: JSON.parse(
          JSON.stringify({ [name]: fields[name as keyof typeof fields] }).replaceAll(
            '"#',
            '"com.example.everything#',
          ),
        ),
        required: [name],
      },
    },
  }),
)
type Module = Record<string, (value: unknown, mode: Mode) => unknown> & {
  main?: { params: ParamsSchema<unknown> }
}

/** The generated modules of documents, loaded. They lie outside the repository, and find its packages by a link. */
async function withModules(
  documents: readonly LexiconDocument[],
  body: (load: (nsid: string) => Promise<Module>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'imago-lexicon-'))
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    for (const { path, text } of generate(documents)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    await body((nsid) => import(pathToFileURL(join(folder, `${nsid.replaceAll('.', '/')}.ts`)).href))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** All verdicts on a value, in every mode. Returns how many were "valid". */
function compare(
  atRunTime: Schema<unknown>,
  aheadOfTime: Module[string],
  value: unknown,
  what: string,
  onBytes?: BytesCheck,
): number {
  let valid = 0
  const bytes = onBytes && encoded(value)
  for (const mode of MODES) {
    const expected = atRunTime.check(value, mode)
    if (bytes)
      assert.deepEqual(onBytes(bytes, mode), atRunTime.check(decode(bytes), mode), `${what}, ${mode}, bytes`)
    assert.deepEqual(aheadOfTime(value, mode), expected, `${what}, ${mode}`)
    if (expected === undefined) valid++
  }
  return valid
}

/** Nothing for what is not of the data model. */
function encoded(value: unknown): Uint8Array | undefined {
  try {
    return encode(value as Value)
  } catch (error) {
    if (error instanceof DataError) return undefined
    throw error
  }
}

test('generated and run-time validators, and those of bytes, say the same of random values', async () => {
  const documents = [...committedDocuments(), EVERYTHING, ...SINGLES, EVERY_PARAM]
  const catalog = createCatalog(documents)
  const bytesChecks = createBytesChecks(catalog)
  const random = createRandom(7)
  const values = createValues(documents, random)
  let judged = 0
  let valid = 0
  await withModules(documents, async (load) => {
    for (const { id, defs } of documents) {
      const module = await load(id)
      const rounds = id.startsWith('com.example.') ? 60 : 12
      for (const [name, definition] of Object.entries(defs)) {
        const parts: [Schema<unknown> | undefined, Module[string] | undefined, () => unknown, BytesCheck?][] =
          []
        const method = catalog.query(id) ?? catalog.procedure(id)
        if (name === 'main' && method) {
          if ('schema' in (method.output ?? {}))
            parts.push([
              method.output!.schema,
              module['checkOutput'],
              () => values.body(definition, 'output', id),
            ])
          if ('input' in method && method.input?.schema)
            parts.push([
              method.input.schema,
              module['checkInput'],
              () => values.body(definition, 'input', id),
            ])
        } else {
          const schema = catalog.def(name === 'main' ? id : `${id}#${name}`)
          if (schema)
            parts.push([
              schema,
              module[`check${pascalCase(name)}`],
              () => values.of(definition as FieldDefinition, id),
              bytesChecks(name === 'main' ? id : `${id}#${name}`)!,
            ])
        }
        for (const [schema, check, make, onBytes] of parts) {
          // A body that is only a reference has the check of its target, in another module.
          if (!check && schema) continue
          for (let i = 0; i < rounds; i++) {
            judged += MODES.length
            valid += compare(schema!, check!, make(), `${id}#${name}`, onBytes)
          }
        }
      }
    }
  })
  assert.ok(judged > 10_000, `${judged} verdicts`)
  assert.ok(valid > judged / 10 && valid < judged * 0.9, `${valid} of ${judged} valid`)
})

test('generated and run-time parameters decode the same', async () => {
  const documents = [...committedDocuments(), EVERYTHING, EVERY_PARAM]
  const catalog = createCatalog(documents)
  const random = createRandom(8)
  await withModules(documents, async (load) => {
    for (const { id, defs } of documents) {
      const expected = (catalog.query(id) ?? catalog.procedure(id) ?? catalog.subscription(id))?.params
      const main = defs['main']
      if (!expected || !main || !('parameters' in main) || !main.parameters) continue
      const { params } = (await load(id)).main!
      for (let i = 0; i < 40; i++) {
        const query = new URLSearchParams()
        for (const name of Object.keys(main.parameters.properties ?? {}))
          for (let n = random.int(4); n > 1; n--) query.append(name, random.pick(TEXTS))
        assert.deepEqual(params.decode(query), expected.decode(query), `${id}?${query}`)
      }
    }
  })
})

vectorTest(
  'interop vectors: generated validators say the same as those made at run time',
  async (vectors) => {
    const folder = 'atproto-interop-tests/lexicon'
    const stub = {
      lexicon: 1,
      id: 'app.bsky.actor.defs',
      defs: { preferences: { type: 'array', items: { type: 'unknown' } } },
    }
    const documents = [
      ...vectors.list(`${folder}/catalog`).map((file) => vectors.json(`${folder}/catalog/${file}`)),
      stub, // The catalog refers to it, and does not hold it.
    ].map(parseLexiconDocument)
    const schema = createCatalog(documents).record('example.lexicon.record')!
    await withModules(documents, async (load) => {
      const { checkMain } = await load('example.lexicon.record')
      let judged = 0
      for (const file of ['record-data-valid.json', 'record-data-invalid.json'])
        for (const { name, data } of vectors.json<{ name: string; data: unknown }[]>(`${folder}/${file}`)) {
          let value: unknown
          try {
            value = fromJson(data)
          } catch {
            value = data // Not of the data model, and invalid either way.
          }
          compare(schema, checkMain!, value, name)
          judged++
        }
      assert.ok(judged >= 53)
    })
  },
)

const LINK = cidOfDrisl(new Uint8Array([0xa0]))
const RAW = cidOfRaw(new Uint8Array())
const TEXTS = [
  '',
  'a',
  "it's",
  'ab',
  'abcdefgh',
  'éééé',
  'ééééé',
  '👩‍👩‍👦‍👦👩‍👩‍👦‍👦',
  '👩‍👩‍👦‍👦',
  'line\nend',
  'x'.repeat(70),
  'true',
  'false',
  '1',
  '-2',
  '3',
  '99',
  'did:plc:abc',
  'alice.test',
  'at://did:plc:abc/com.example.thing/a',
  String(LINK),
  '2024-01-01T00:00:00Z',
  '2024-01-01T00:00:00',
  'en',
  'com.example.thing',
  'self',
  '3jzfcijpj2z2a',
  'https://example.com/',
] as const
const BY_FORMAT: Readonly<Record<StringFormat, string>> = {
  'at-identifier': 'did:plc:abc',
  'at-uri': 'at://did:plc:abc/com.example.thing/a',
  cid: String(LINK),
  datetime: '2024-01-01T00:00:00Z',
  did: 'did:plc:abc',
  handle: 'alice.test',
  language: 'en',
  nsid: 'com.example.thing',
  'record-key': 'self',
  tid: '3jzfcijpj2z2a',
  uri: 'https://example.com/',
}
const TYPES = [
  'com.example.everything#item',
  'com.example.everything',
  'com.example.other',
  'com.example.other#main',
  '',
  5,
  undefined,
]
const MIME_TYPES = ['image/png', 'image/', 'image/png;q=1', 'text/plain', 'video/mp4', '', 5]

/** Values that mostly fit a definition, with a fault strewn in here and there. */
function createValues(documents: readonly LexiconDocument[], random: Random) {
  const byId = new Map(documents.map((document) => [document.id as string, document]))
  const FAULT = 0.02
  const anything = () =>
    random.pick<() => unknown>([
      () => null,
      () => undefined,
      () => true,
      () => random.int(5) - 2,
      () => 1.5,
      () => random.pick(TEXTS),
      () => random.bytes(random.int(5)),
      () => LINK,
      () => RAW,
      () => [],
      () => ({}),
      () => ({ $type: 'blob' }),
      () => ({ $type: random.pick(TYPES) }),
      () => new Date(0),
      () => 2n,
    ])()

  function of(def: FieldDefinition | Definition, id: string, depth = 0): unknown {
    if (random.chance(FAULT)) return anything()
    switch (def.type) {
      case 'boolean':
        return def.const ?? random.chance(0.5)
      case 'integer':
        return (
          def.const ??
          (def.enum
            ? random.pick(def.enum)
            : Math.min(Math.max(random.int(9) - 3, def.minimum ?? -9), def.maximum ?? 9))
        )
      case 'string':
        if (def.const !== undefined) return def.const
        if (def.enum) return random.pick(def.enum)
        if (def.format) return random.chance(0.95) ? BY_FORMAT[def.format] : random.pick(TEXTS)
        return random.chance(0.8) ? 'ab' : random.pick(TEXTS)
      case 'bytes':
        return random.bytes(1 + random.int(3))
      case 'cid-link':
        return random.pick([LINK, RAW])
      case 'blob': {
        if (random.chance(0.05)) return { cid: random.pick([String(RAW), 5]), mimeType: 'image/png' }
        const odd = random.chance(0.2)
        return {
          $type: 'blob',
          ref: odd ? random.pick<unknown>([RAW, LINK, 'no']) : RAW,
          mimeType: odd ? random.pick<unknown>(MIME_TYPES) : 'image/png',
          size: random.pick(odd ? [5, 11, -1, 1.5] : [5]),
        }
      }
      case 'array': {
        const length = Math.max(
          def.minLength ?? 0,
          Math.min(depth > 3 ? 0 : random.int(3), def.maxLength ?? 3),
        )
        return Array.from({ length }, () => of(def.items, id, depth + 1))
      }
      case 'object':
        return object(def, id, depth)
      case 'record':
        return { ...object(def.record, id, depth), $type: random.chance(0.95) ? id : random.pick(TYPES) }
      case 'unknown':
        return { any: [1], $type: random.pick(['x', 'y', undefined]) }
      case 'ref': {
        const [target, home] = follow(def.ref, id)
        return target ? of(target, home, depth + 1) : {}
      }
      case 'union': {
        if (def.refs.length === 0 || random.chance(0.1)) return { $type: random.pick(TYPES) }
        const ref = random.pick(def.refs)
        const [target, home] = follow(ref, id)
        const value = target ? of(target, home, depth + 1) : {}
        const $type = (ref.startsWith('#') ? id + ref : ref).replace(/#main$/, '')
        return typeof value === 'object' && value !== null && !Array.isArray(value)
          ? { ...value, $type }
          : value
      }
      default:
        return anything()
    }
  }

  function object(def: ObjectDefinition, id: string, depth: number): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    for (const [name, property] of Object.entries(def.properties ?? {})) {
      const required = def.required?.includes(name)
      if (def.nullable?.includes(name) && random.chance(0.2)) value[name] = null
      else if (required ? random.chance(1 - FAULT) : depth < 4 && random.chance(0.3))
        value[name] = of(property, id, depth + 1)
    }
    return value
  }

  function follow(ref: string, id: string): [Definition | undefined, string] {
    const [nsid, name = 'main'] = ref.split('#') as [string, string?]
    const home = nsid === '' ? id : nsid
    return [byId.get(home)?.defs[name], home]
  }

  return {
    of,
    body(def: Definition, side: 'input' | 'output', id: string): unknown {
      const body =
        side in def ? (def as { [key in typeof side]?: { schema?: FieldDefinition } })[side] : undefined
      return body?.schema ? of(body.schema, id) : anything()
    },
  }
}
