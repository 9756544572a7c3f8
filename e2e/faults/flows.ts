import type { Flow } from './flow.ts'
import { backupFlow } from './flows/backup.ts'
import { blobFlow } from './flows/blob.ts'
import { checkpointFlow } from './flows/checkpoint.ts'
import { deleteFlow } from './flows/delete.ts'
import { importFlow } from './flows/import.ts'
import { restoreFlow } from './flows/restore.ts'
import { resumeFlow } from './flows/resume.ts'
import { writeFlow } from './flows/write.ts'

export const flows: readonly Flow[] = [
  writeFlow,
  checkpointFlow,
  blobFlow,
  importFlow,
  resumeFlow,
  deleteFlow,
  backupFlow,
  restoreFlow,
]

/** @throws {Error} naming the flows that there are. */
export function flowNamed(name: string): Flow {
  const found = flows.find((flow) => flow.name === name)
  if (found === undefined)
    throw new Error(`no flow '${name}': there are ${flows.map((flow) => flow.name).join(', ')}`)
  return found
}
