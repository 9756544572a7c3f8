import { type PdsConfig, readConfig } from '@imago/pds'
import { ConfigError } from '@imago/service'
import { CliError, EXIT } from '../cli-error.ts'

/**
 * The settings of the server in this environment.
 * @param why added to what is wrong with them.
 * @throws {CliError} usage
 */
export function serverConfig(why: string): PdsConfig {
  try {
    return readConfig(process.env).config
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof TypeError)) throw error
    throw new CliError(EXIT.usage, `${error.message}\n${why}`, { cause: error })
  }
}
