import { addPdsAdopt, addPdsHandBack } from './pds-adopt.ts'
import { addPdsBackup } from './pds-backup.ts'
import { addPdsRebuild } from './pds-rebuild.ts'
import { addPdsRestore } from './pds-restore.ts'
import { addPdsVerify } from './pds-verify.ts'
import type { AddSubCommand } from './sub-command.ts'

/** What an operator does with the data of a PDS, beside running it: `imago pds <tool>`. One file and one line each. */
export const PDS_TOOLS: readonly AddSubCommand[] = [
  addPdsAdopt,
  addPdsHandBack,
  addPdsVerify,
  addPdsRebuild,
  addPdsBackup,
  addPdsRestore,
]
