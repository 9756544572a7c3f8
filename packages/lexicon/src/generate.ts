import type { LexiconDocument } from './document.ts'
import { LexiconError } from './lexicon-error.ts'
import { definitionNames, emitModule } from './lib/emit-module.ts'
import { quoted } from './lib/names.ts'
import { createResolver, unresolvedRefs } from './lib/resolve.ts'

/** A file to write: its path below the folder of generated modules, with `/` as separator. */
export interface GeneratedFile {
  readonly path: string
  readonly text: string
}

export interface GenerateOptions {
  /**
   * The package whose generated modules hold a document, when it is not this one (`@imago/atproto`). Such documents
   * are referred to, and not generated.
   */
  readonly packageOf?: (nsid: string) => string | undefined
}

const HEADER = '// Generated from schema documents. Do not edit: change the document, then generate anew.'

/**
 * TypeScript for schema documents: one module per document at `com/example/getThing.ts` with its types, checks and
 * schema objects, one module per namespace (`com/example.ts`) that names those below it, `method-nsids.ts`, and `methods.ts` with their types.
 * The same documents give the same text.
 * @throws {LexiconError} when a reference leads nowhere, or two names would collide in one module.
 */
export function generate(
  documents: Iterable<LexiconDocument>,
  options: GenerateOptions = {},
): GeneratedFile[] {
  const { packageOf = () => undefined } = options
  const resolver = createResolver(documents)
  refuse(unresolvedRefs(resolver).map((ref) => `refers to what the documents do not define: ${ref}`))

  const nameCache = new Map<string, ReturnType<typeof definitionNames>>()
  const namesOf = (nsid: string) => {
    let names = nameCache.get(nsid)
    if (!names) nameCache.set(nsid, (names = definitionNames(nsid, resolver)))
    return names
  }
  const own = resolver.nsids.filter((nsid) => packageOf(nsid) === undefined)
  const files = new Map<string, { text: string; exports: readonly string[] }>()
  for (const nsid of own) {
    const specifierOf = (other: string) => {
      const elsewhere = packageOf(other)
      return elsewhere ? `${elsewhere}/${pathOf(other)}` : relative(nsid, other)
    }
    files.set(nsid, emitModule(nsid, resolver, namesOf, specifierOf, HEADER))
  }

  const collisions: string[] = []
  for (const [namespace, children] of namespaces(own)) {
    const lines = children.map((child) => {
      const segment = namespace.slice(namespace.lastIndexOf('.') + 1)
      return `export * as ${quotedIfNeeded(child)} from ${quoted(`./${segment}/${child}.ts`)}`
    })
    const document = files.get(namespace)
    for (const child of children)
      if (document?.exports.includes(child))
        collisions.push(`${namespace}.${child} is both a namespace and a definition`)
    const text = document ? `${document.text}\n${lines.join('\n')}\n` : `${HEADER}\n\n${lines.join('\n')}\n`
    files.set(namespace, { text, exports: [] })
  }
  refuse(collisions)

  const methods = own.filter((nsid) => resolver.method(nsid) !== undefined)
  return [
    ...[...files].map(([name, { text }]) => ({ path: `${pathOf(name)}.ts`, text })),
    { path: 'method-nsids.ts', text: `${HEADER}\n\n${methodList(methods)}\n` },
    { path: 'methods.ts', text: `${HEADER}\n\n${methodTypes(methods)}\n` },
  ].sort((a, b) => (a.path < b.path ? -1 : 1))
}

function methodList(nsids: readonly string[]): string {
  const lines = nsids.map((nsid) => `  ${quoted(nsid)},`)
  return [
    '/** Every query, procedure and subscription, in order. */',
    'export const methodNsids: readonly string[] = [',
    ...lines,
    ']',
  ].join('\n')
}

/** A type and nothing else, so that whoever calls methods by name alone bundles none of their modules. */
function methodTypes(nsids: readonly string[]): string {
  const lines = nsids.map((nsid) => `  ${quoted(nsid)}: typeof import('./${pathOf(nsid)}.ts').main`)
  return [
    '/** The schema of every query, procedure and subscription, by NSID. */',
    'export interface Methods {',
    ...lines,
    '}',
  ].join('\n')
}

function refuse(messages: readonly string[]): void {
  if (messages.length > 0)
    throw new LexiconError(
      'InvalidCatalog',
      'catalog',
      messages.map((message) => ({ path: '', message })),
    )
}

/** Every proper prefix of the NSIDs, with the segments that follow it, both in order. */
function namespaces(nsids: readonly string[]): [namespace: string, children: string[]][] {
  const children = new Map<string, Set<string>>()
  for (const nsid of nsids) {
    const segments = nsid.split('.')
    for (let length = 1; length < segments.length; length++) {
      const namespace = segments.slice(0, length).join('.')
      const known = children.get(namespace) ?? new Set()
      children.set(namespace, known.add(segments[length]!))
    }
  }
  return [...children].map(([namespace, segments]) => [namespace, [...segments].sort()])
}

const pathOf = (name: string) => name.replaceAll('.', '/')

/** Segments of a domain may hold hyphens. */
const quotedIfNeeded = (segment: string) =>
  /^[A-Za-z][A-Za-z0-9]*$/.test(segment) ? segment : quoted(segment)

function relative(from: string, to: string): string {
  const here = from.split('.').slice(0, -1)
  const there = to.split('.')
  let shared = 0
  while (shared < here.length && shared < there.length - 1 && here[shared] === there[shared]) shared++
  const up = here.length - shared
  return `${up === 0 ? './' : '../'.repeat(up)}${there.slice(shared).join('/')}.ts`
}
