import type { Issue } from './issue.ts'

/**
 * A schema document that is not one, a reference that leads nowhere, or a value that breaks its schema. The message
 * names every fault; `issues` holds them one by one.
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

/** One issue on one line: `/record/text must be a string, not 5`. */
export function issueText(issue: Issue): string {
  return issue.path === '' ? issue.message : `${issue.path} ${issue.message}`
}
