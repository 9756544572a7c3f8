import type { Kind } from './lib/config-kinds.ts'
import { nearest } from './lib/nearest.ts'

/** One row of a service's table of settings. */
export interface Setting<Value = unknown> {
  /** Name of the environment variable, whole. */
  readonly env: string
  readonly kind: Kind<Value>
  /** The value where nothing is set. A setting without one is `undefined`, unless required. */
  readonly default?: Value
  /** Refuse to start without it. */
  readonly required?: boolean
  /** Never show the value. */
  readonly secret?: boolean
  /** Other names for the same variable, as other implementations call it. */
  readonly aliases?: readonly string[]
  /** What it does, for an operator: one or two sentences. */
  readonly doc: string
}

// biome-ignore lint/suspicious/noExplicitAny: a table mixes values of every type, and Kind is invariant.
type Settings = Readonly<Record<string, Setting<any>>>

/** A service's settings: names in code, each with its variable. */
export interface ConfigDefinition<Table extends Settings = Settings> {
  /** Start of the names that belong to the service, such as `PDS_`. */
  readonly prefix: string
  readonly settings: Table
}

type ValueOf<Row> =
  Row extends Setting<infer Value>
    ? Row extends { readonly default: unknown } | { readonly required: true }
      ? Value
      : Value | undefined
    : never

/** The values that `loadConfig` gives for a definition. */
export type Config<Definition> =
  Definition extends ConfigDefinition<infer Table>
    ? { readonly [Name in keyof Table]: ValueOf<Table[Name]> }
    : never

export interface ConfigProblem {
  /** The variable. */
  readonly env: string
  /** What is wrong and how to mend it. Never holds the value of a secret. */
  readonly message: string
}

/** The environment does not fit the table. Lists everything that is wrong with it, not just the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? 'One setting needs' : `${problems.length} settings need`
    super([`${count} attention:`, ...problems.map(({ env, message }) => `  ${env}: ${message}`)].join('\n'))
    this.problems = problems
  }
}

/**
 * Declares the settings of a service.
 * @throws {TypeError} when two rows claim the same variable.
 */
export function defineConfig<const Table extends Settings>(
  prefix: string,
  settings: Table,
): ConfigDefinition<Table> {
  const names = Object.values<Setting>(settings).flatMap(namesOf)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new TypeError(`two settings claim the variable ${twice}`)
  return { prefix, settings }
}

function namesOf({ env, aliases = [] }: Setting): string[] {
  return [env, ...aliases]
}

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads a service's settings from the environment. A variable that is set to nothing counts as not set.
 * @throws {ConfigError} listing every value that cannot be read, every required one that is missing, and every name
 *   that begins with the prefix and is not in the table.
 */
export function loadConfig<Definition extends ConfigDefinition>(
  definition: Definition,
  env: Environment = process.env,
): Config<Definition> {
  const problems: ConfigProblem[] = unknownNames(definition, env)
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries<Setting>(definition.settings)) {
    const found = lookUp(setting, env)
    if (found === 'twice')
      problems.push({
        env: setting.env,
        message: `is also set as ${setting.aliases!.join(' or ')}: keep one`,
      })
    else if (found !== undefined) {
      values[name] = setting.kind.parse(found.text)
      if (values[name] === undefined)
        problems.push({ env: found.name, message: complaint(setting, found.text) })
    } else if (setting.default !== undefined) values[name] = setting.default
    else if (setting.required) problems.push({ env: setting.env, message: `is required: ${setting.doc}` })
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return values as Config<Definition>
}

function lookUp(setting: Setting, env: Environment): { name: string; text: string } | 'twice' | undefined {
  const found = namesOf(setting).flatMap((name) => {
    const text = env[name]?.trim()
    return text ? [{ name, text }] : []
  })
  return new Set(found.map(({ text }) => text)).size > 1 ? 'twice' : found[0]
}

function complaint({ kind, secret }: Setting, text: string): string {
  const shown = secret ? 'the value (not shown)' : `'${text.length > 60 ? `${text.slice(0, 60)}…` : text}'`
  return `${shown} cannot be read: expected ${kind.name}`
}

function unknownNames({ prefix, settings }: ConfigDefinition, env: Environment): ConfigProblem[] {
  const known = Object.values<Setting>(settings).flatMap(namesOf)
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.includes(name) && env[name] !== undefined)
    .sort()
    .map((name) => {
      const close = nearest(name, known)
      const advice = close ? `did you mean ${close}?` : `see the list of settings, or rename it`
      return { env: name, message: `is no setting of this service: ${advice}` }
    })
}

/** One setting, as a person reads it. */
export interface ConfigRow {
  readonly env: string
  readonly kind: string
  /** As one would write it; `undefined` where there is none. Defaults of secrets are not shown. */
  readonly default: string | undefined
  readonly required: boolean
  readonly secret: boolean
  readonly aliases: readonly string[]
  readonly doc: string
  /** What the environment says, where one was given and says anything; `(set)` for secrets. */
  readonly current: string | undefined
}

/** The rows of `imago <service> config` and of the operator's pages, in the order of the table. */
export function describeConfig(definition: ConfigDefinition, env: Environment = {}): ConfigRow[] {
  return Object.values<Setting>(definition.settings).map((setting) => {
    const { env: name, kind, default: value, required = false, secret = false, aliases = [], doc } = setting
    const set = namesOf(setting)
      .map((one) => env[one]?.trim())
      .find((text) => text)
    return {
      env: name,
      kind: kind.name,
      default: value === undefined || secret ? undefined : kind.format(value),
      required,
      secret,
      aliases,
      doc,
      current: set && secret ? '(set)' : set || undefined,
    }
  })
}
