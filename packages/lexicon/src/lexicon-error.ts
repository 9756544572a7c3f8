import type { Issue } from './issue.ts'

/**
 * A schema document that is not one, a reference that leads nowhere, or a value that breaks its schema. The message
 * names the faults; `issues` holds them one by one.
 */
export class LexiconError extends Error {
  override readonly name = 'LexiconError'
  readonly code: 'InvalidDocument' | 'InvalidCatalog' | 'InvalidValue'
  /** At least one; paths are JSON pointers into the document or the value. */
  readonly issues: readonly Issue[]

  /** @param subject what was judged, for the message: `lexicon com.example.post`, `com.example.post record`. */
  constructor(code: LexiconError['code'], subject: string, issues: readonly Issue[]) {
    super(`invalid ${subject}: ${issues.map(issueText).join('; ')}`)
    this.code = code
    this.issues = issues
  }
}

/** Names in a path are as long as whoever wrote them wanted. */
const MAX_PATH = 256

/** One issue on one line: `/record/text must be a string, not 5`. */
function issueText({ path, message }: Issue): string {
  if (path === '') return message
  return `${path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}…` : path} ${message}`
}
