import { isNsid } from '@imago/syntax'
import type { LexiconDocument } from './document.ts'
import type { Issue } from './issue.ts'
import { LexiconError } from './lexicon-error.ts'
import { documentRule } from './lib/document-rules.ts'
import { isMap } from './lib/values.ts'

/** More help nobody; and documents that strangers publish may be nothing but faults. */
const MAX_ISSUES = 100

/**
 * The same JSON, now known to be a schema document. Fields that the language does not know are let through. Whether
 * references lead anywhere is for a catalog to say.
 * @throws {LexiconError} `InvalidDocument`, listing every fault: the first hundred, and how many more there are.
 * @see https://atproto.com/specs/lexicon
 */
export function parseLexiconDocument(json: unknown): LexiconDocument {
  const issues: Issue[] = []
  let more = 0
  documentRule(json, '', (issue) => {
    if (issues.length < MAX_ISSUES) issues.push(issue)
    else more++
  })
  if (issues.length === 0) return json as LexiconDocument
  if (more > 0) issues.push({ path: '', message: `has ${more} faults more` })
  const id = isMap(json) ? json['id'] : undefined
  throw new LexiconError('InvalidDocument', isNsid(id) ? `lexicon ${id}` : 'lexicon', issues)
}
