import type { ConfigDefinition } from '@imago/service'

/** What a backup holds of the environment, and what it leaves to the operator. */
export interface Configuration {
  readonly environment: Readonly<Record<string, string>>
  /** Names of settings that are in force and not in `environment`. */
  readonly keepYourself: readonly string[]
}

/**
 * The settings of a service among the variables of an environment.
 * @param options.withSecrets whether keys and passwords are part of it. Where they are not, `keepYourself` names them.
 */
export function configurationOf(
  definition: ConfigDefinition,
  env: Readonly<Record<string, string | undefined>>,
  { withSecrets }: { withSecrets: boolean },
): Configuration {
  const environment: Record<string, string> = {}
  const keepYourself: string[] = []
  for (const { env: name, aliases = [], secret = false } of Object.values(definition.settings))
    for (const variable of [name, ...aliases]) {
      const value = env[variable]
      if (value === undefined) continue
      if (secret && !withSecrets) keepYourself.push(variable)
      else environment[variable] = value
    }
  return { environment, keepYourself }
}

/** An environment file, as a shell and systemd read it; without quotes inside of values also Docker Compose and Node. */
export function environmentFile(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${quoted(value)}\n`)
    .join('')
}

function quoted(value: string): string {
  if (/^[\w./:,@%+=-]*$/.test(value)) return value
  if (!value.includes("'")) return `'${value}'`
  return `"${value.replaceAll(/["$`\\]/g, '\\$&')}"`
}
