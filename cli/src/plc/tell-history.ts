import { type ExplainedOperation, explainLog, type PlcChange, type PlcLog } from '@imago/identity/plc'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** The history of a DID as text for people, one paragraph an operation. @param now milliseconds since the Unix epoch. */
export function tellHistory(log: PlcLog, now: number): string {
  return `${log.did}\n\n${explainLog(log)
    .map((operation) => tellOperation(operation, now))
    .join('\n')}`
}

/** The same for programs. */
export const historyJson = (log: PlcLog) =>
  explainLog(log).map(({ entry, undone, undid, disputableUntil, ...rest }) => ({
    cid: entry.cid.toString(),
    createdAt: new Date(entry.createdAt).toISOString(),
    ...rest,
    undid: undid.map(String),
    ...(undone && { undone: { ...undone, by: undone.by.toString() } }),
    disputableUntil: new Date(disputableUntil).toISOString(),
    operation: entry.operation,
  }))

export function tellOperation(told: ExplainedOperation, now: number): string {
  const { entry, kind, changes, signedBy, undone, undid, strongerKeys, disputableUntil } = told
  const lines = [
    `${new Date(entry.createdAt).toISOString()}  ${kind}${undone ? '  (undone)' : ''}`,
    `  ${entry.cid}`,
    `  signed by ${rank(signedBy.position, signedBy.of)} ${signedBy.key}`,
    ...changes.map((change) => `  ${tellChange(change)}`),
  ]
  if (undid.length > 0) lines.push(`  undid ${undid.join(', ')}`)
  if (undone !== undefined) {
    const why = undone.isConsequence
      ? 'because what it followed was undone'
      : `by ${rank(undone.byPosition, signedBy.of)}, which outranks it, ${undone.byKey}`
    lines.push(`  undone after ${duration(undone.afterMs)} ${why}: ${undone.by}`)
  } else if (strongerKeys.length > 0 && now <= disputableUntil)
    lines.push(`  can be undone for another ${duration(disputableUntil - now)} by ${strongerKeys.join(', ')}`)
  return `${lines.join('\n')}\n`
}

const rank = (position: number, of: number) => `key ${position + 1} of ${of}`

/** One change, with + for what came and − for what went. */
export function tellChange(change: PlcChange): string {
  switch (change.what) {
    case 'rotationKey':
      return `${sign(change.kind)} rotation key ${change.position + 1}: ${change.key}`
    case 'rotationKeys':
      return `~ rotation keys in another order: ${change.keys.join(', ')}`
    case 'verificationMethod':
      return tellNamed('verification method', change.name, change.kind, change.before, change.after)
    case 'service':
      return tellNamed(
        'service',
        change.name,
        change.kind,
        tellService(change.before),
        tellService(change.after),
      )
    case 'alias':
      return `${sign(change.kind)} ${change.alias}`
    case 'aliases':
      return `~ aliases in another order: ${change.aliases.join(', ')}`
  }
}

function tellNamed(
  what: string,
  name: string,
  kind: string,
  before: string | undefined,
  after: string | undefined,
) {
  if (kind === 'changed') return `~ ${what} ${name}: ${before} → ${after}`
  return `${sign(kind)} ${what} ${name}: ${after ?? before}`
}

const tellService = (service: { type: string; endpoint: string } | undefined) =>
  service && `${service.endpoint} (${service.type})`

const sign = (kind: string) => (kind === 'added' ? '+' : '−')

/** Such as `71 h 5 min`. */
export function duration(ms: number): string {
  const hours = Math.floor(ms / HOUR_MS)
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS)
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min`
}
