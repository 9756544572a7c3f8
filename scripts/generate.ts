// `npm run generate`: writes the TypeScript that is made from lexicons/ and checked in. A test fails on drift.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LexiconDocument, LexiconError, parseLexiconDocument } from '@imago/lexicon'
import { type GeneratedFile, generate } from '@imago/lexicon/generate'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A package with generated modules: those of all documents under its prefix. */
interface Target {
  readonly package: string
  readonly prefix: string
  /** Below the root of the repository. */
  readonly folder: string
}

export const targets: readonly Target[] = [
  { package: '@imago/atproto', prefix: 'com.atproto.', folder: 'packages/atproto/src/lexicons' },
]

/**
 * Every document under lexicons/, in order of path.
 * @throws {Error} naming the file, when one is not a schema document or does not lie where its NSID says.
 */
export function readDocuments(): LexiconDocument[] {
  return globSync('lexicons/**/*.json', { cwd: root })
    .sort()
    .map((path) => {
      const document = parseFile(path)
      const expected = join('lexicons', `${document.id.replaceAll('.', '/')}.json`)
      if (path !== expected) throw new Error(`${path} holds ${document.id}, which belongs in ${expected}`)
      return document
    })
}

function parseFile(path: string): LexiconDocument {
  try {
    return parseLexiconDocument(JSON.parse(readFileSync(join(root, path), 'utf8')))
  } catch (error) {
    if (error instanceof LexiconError || error instanceof SyntaxError)
      throw new Error(`${path}: ${error.message}`, { cause: error })
    throw error
  }
}

/** What a target's folder must hold. */
export function generatedFiles(target: Target, documents: readonly LexiconDocument[]): GeneratedFile[] {
  const packageOf = (nsid: string) => {
    const home = targets.find(({ prefix }) => nsid.startsWith(prefix))
    return home === target ? undefined : home?.package
  }
  return generate(documents, { packageOf })
}

/** What a target's folder holds: text by path. */
export function committedFiles(target: Target): Map<string, string> {
  const folder = join(root, target.folder)
  const paths = globSync('**/*.ts', { cwd: folder })
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]))
}

if (import.meta.main) {
  const documents = readDocuments()
  for (const target of targets) {
    const files = generatedFiles(target, documents)
    const committed = committedFiles(target)
    for (const { path, text } of files) {
      if (committed.get(path) !== text) {
        const file = join(root, target.folder, path)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, text)
      }
      committed.delete(path)
    }
    for (const stale of committed.keys()) rmSync(join(root, target.folder, stale))
    console.log(`${target.folder}: ${files.length} modules, ${committed.size} removed`)
  }
}
