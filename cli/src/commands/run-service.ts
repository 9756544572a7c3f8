import type { ExitCode } from '../cli-error.ts'
import { SERVICES, type ServiceName } from '../services.ts'

/** Runs one service alone, with settings from the environment, until it is told to stop. */
export async function runService(name: ServiceName): Promise<ExitCode> {
  await SERVICES[name].run()
  return (process.exitCode ?? 0) as ExitCode
}
