import assert from 'node:assert/strict'
import test from 'node:test'
import { schemas } from '@atproto/api'
import { committedFiles, generatedFiles, readDocuments, targets } from './generate.ts'

const documents = readDocuments()

for (const target of targets)
  test(`${target.folder} is what lexicons/ generates: run \`npm run generate\``, () => {
    const committed = committedFiles(target)
    const generated = generatedFiles(target, documents)
    assert.deepEqual([...committed.keys()].sort(), generated.map(({ path }) => path).sort())
    for (const { path, text } of generated) assert.ok(committed.get(path) === text, `${path} is out of date`)
  })

test('lexicons/ holds every published com.atproto document, with its names, types and constraints', () => {
  const published = schemas.filter(({ id }) => id.startsWith('com.atproto.'))
  assert.ok(published.length >= 95)
  const ours = new Map<string, unknown>(documents.map((document) => [document.id, document]))
  for (const { id, ...rest } of published)
    assert.deepEqual(structure(ours.get(id), id), structure({ id, ...rest }, id), id)
})

/**
 * What a document says, without what it tells people: descriptions are left out, and references, which the published
 * package spells in full with a scheme, are spelled as short as they can be.
 */
function structure(value: unknown, id: string, ofNames = false): unknown {
  if (Array.isArray(value)) return value.map((item) => structure(item, id))
  if (typeof value === 'string') return shortRef(value, id)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => ofNames || key !== 'description')
      .map(([key, item]) => [key, structure(item, id, !ofNames && (key === 'properties' || key === 'defs'))]),
  )
}

function shortRef(text: string, id: string): string {
  const plain = text.startsWith('lex:') ? text.slice('lex:'.length) : text
  return plain.startsWith(`${id}#`) ? plain.slice(id.length) : plain
}
