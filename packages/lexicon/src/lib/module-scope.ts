import type { Definition } from './ir.ts'
import { createNameScope, type NameScope, pascalCase, RESERVED_WORDS } from './names.ts'

const RUNTIME = '@imago/lexicon/runtime'
const DATA = '@imago/data'
const SYNTAX = '@imago/syntax'

/** What a generated module may import by name, and from where. */
const VALUES: Readonly<Record<string, string>> = {
  ...from(
    RUNTIME,
    'fail fewerGraphemes isBlob isBytes isDatetimeIn isInteger isMap isUnknown longer moreGraphemes own',
  ),
  ...from(RUNTIME, 'procedure query record schema shorter subscription under unlistedVariant'),
  ...from(DATA, 'isCid'),
  ...from(
    SYNTAX,
    'isAtIdentifier isAtUri isCidString isDid isHandle isLanguage isNsid isRecordKey isTid isUri',
  ),
}
const TYPES: Readonly<Record<string, string>> = {
  ...from(
    RUNTIME,
    'Given Issue Mode ProcedureSchema QuerySchema RawBody RecordSchema Schema SubscriptionSchema',
  ),
  ...from(RUNTIME, 'Typed UnknownVariant'),
  ...from(DATA, 'BlobRef Cid DataMap'),
  ...from(SYNTAX, 'AtIdentifier AtUri CidString Datetime Did Handle Language Nsid RecordKey Tid Uri'),
}
/** Names of the language that generated code uses, and of its own locals. */
const TAKEN = ['Array', 'Infinity', 'Record', 'Uint8Array', 'f', 'i', 'm', 'v', 'x']

function from(module: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, module]))
}

/** What a definition is called in the module that declares it. */
export interface DefinitionNames {
  readonly type: string
  readonly check: string
  /** The constant inside the module; exported under the definition's own name. */
  readonly constant: string
}

/** Names and imports of one generated module. */
export interface ModuleScope extends NameScope {
  /** A function of the runtime, `@imago/data` or `@imago/syntax`, imported from now on. */
  value(name: string): string
  /** A type of theirs, imported from now on. */
  type(name: string): string
  /** How this module refers to a definition of its own, or of another, imported from now on. */
  names(definition: Definition): { readonly type: string; readonly check: string }
  own(definition: Definition): DefinitionNames
  /** The import statements of everything that was asked for. */
  imports(): string[]
}

/**
 * @param namesOf what each document calls its definitions.
 * @param specifierOf where another document's module is imported from.
 */
export function createModuleScope(
  nsid: string,
  namesOf: (nsid: string) => ReadonlyMap<string, DefinitionNames>,
  specifierOf: (nsid: string) => string,
): ModuleScope {
  const scope = createNameScope([...takenNames(), ...ownNames(namesOf(nsid))])
  const values = new Set<string>()
  const types = new Set<string>()
  const modules = new Map<string, string>()

  const own = (definition: Definition) => namesOf(definition.nsid).get(definition.name)!

  return {
    take: scope.take,
    own,
    value(name) {
      values.add(name)
      return name
    },
    type(name) {
      types.add(name)
      return name
    },
    names(definition) {
      const names = own(definition)
      if (definition.nsid === nsid) return names
      let alias = modules.get(definition.nsid)
      if (!alias) {
        alias = scope.take(definition.nsid.split('.').slice(-2).map(pascalCase).join(''))
        modules.set(definition.nsid, alias)
      }
      return { type: `${alias}.${names.type}`, check: `${alias}.${names.check}` }
    },
    imports() {
      const lines = [DATA, RUNTIME, SYNTAX].flatMap((module) => [
        ...importStatement('import type', [...types].filter((name) => TYPES[name] === module).sort(), module),
        ...importStatement('import', [...values].filter((name) => VALUES[name] === module).sort(), module),
      ])
      const others = [...modules].sort(([a], [b]) => (a < b ? -1 : 1))
      return [
        ...lines,
        ...others.map(([other, alias]) => `import * as ${alias} from '${specifierOf(other)}'`),
      ]
    },
  }
}

/** Names that no definition of any module may have, so that the same definition is called the same everywhere. */
export function takenNames(): string[] {
  return [...Object.keys(VALUES), ...Object.keys(TYPES), ...TAKEN, ...RESERVED_WORDS]
}

function ownNames(names: ReadonlyMap<string, DefinitionNames>): string[] {
  return [...names.values()].flatMap(({ type, check, constant }) => [type, check, constant])
}

const MAX_LINE = 110

/** One line, or as many as the names need. */
function importStatement(keyword: string, names: readonly string[], module: string): string[] {
  if (names.length === 0) return []
  const line = `${keyword} { ${names.join(', ')} } from '${module}'`
  if (line.length <= MAX_LINE) return [line]
  const rows = ['']
  for (const name of names) {
    const row = `${rows.at(-1)} ${name},`
    if (row.length <= MAX_LINE) rows[rows.length - 1] = row
    else rows.push(` ${name},`)
  }
  return [`${keyword} {\n${rows.map((row) => ` ${row}`).join('\n')}\n} from '${module}'`]
}
