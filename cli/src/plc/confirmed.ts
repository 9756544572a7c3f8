import { createInterface } from 'node:readline/promises'
import { CliError, EXIT } from '../cli-error.ts'

/** Asks a person. @throws {CliError} usage, where nobody can be asked. */
export async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new CliError(EXIT.usage, 'nobody can be asked here: say --yes to go ahead')
  using lines = createInterface({ input: process.stdin, output: process.stdout })
  return /^y(es)?$/i.test((await lines.question('Go ahead? (y/N) ')).trim())
}
