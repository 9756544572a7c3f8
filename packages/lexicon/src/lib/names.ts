/** A definition's or property's name as a type's: `strongRef` → `StrongRef`, `cid-link` → `CidLink`. */
export function pascalCase(name: string): string {
  const joined = name
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')
  return /^[A-Za-z]/.test(joined) ? joined : `_${joined}`
}

/** Names in use in one module; each is given out once. */
export interface NameScope {
  /** The name, or the next free one made from it. */
  take(name: string, suffix?: string): string
}

export function createNameScope(taken: Iterable<string>): NameScope {
  const used = new Set(taken)
  return {
    take(name, suffix = '_') {
      let free = name
      while (used.has(free)) free += suffix
      used.add(free)
      return free
    },
  }
}

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/

/** A property's name in an object type or literal: quoted where it has to be. */
export function propertyName(name: string): string {
  return IDENTIFIER.test(name) ? name : quoted(name)
}

/** The expression that reads a property of a map. */
export function access(map: string, name: string): string {
  return IDENTIFIER.test(name) ? `${map}.${name}` : `${map}[${quoted(name)}]`
}

/** A string as a literal in single quotes. */
export function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** Text inside a template literal. */
export function inTemplate(text: string): string {
  return text.replace(/[\\`$]/g, '\\$&')
}

/** Words that cannot name a constant. */
export const RESERVED_WORDS: readonly string[] =
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false
  finally for function if implements import in instanceof interface let new null package private protected public return
  static super switch this throw true try typeof undefined var void while with yield`.split(/\s+/)
