import { addPlcAudit } from './plc-audit.ts'
import {
  addPlcAddKey,
  addPlcDrill,
  addPlcHistory,
  addPlcRecover,
  addPlcRemoveKey,
  addPlcSign,
  addPlcSubmit,
  addPlcTombstone,
  addPlcVerify,
  addPlcWatch,
} from './plc-people.ts'
import { addPlcReplica } from './plc-replica.ts'
import { addPlcWithdraw } from './plc-withdraw.ts'
import type { AddSubCommand } from './sub-command.ts'

/** What else can be done with a PLC directory than running it: `imago plc <tool>`. One line each. */
export const PLC_TOOLS: readonly AddSubCommand[] = [
  addPlcReplica,
  addPlcAudit,
  addPlcHistory,
  addPlcVerify,
  addPlcWatch,
  addPlcDrill,
  addPlcRecover,
  addPlcAddKey,
  addPlcRemoveKey,
  addPlcTombstone,
  addPlcSign,
  addPlcSubmit,
  addPlcWithdraw,
]
