import type { LexiconDocument } from './document.ts'
import type { Issue } from './issue.ts'
import { LexiconError } from './lexicon-error.ts'
import { documentRule } from './lib/document-rules.ts'
import { isMap } from './lib/values.ts'

/**
 * The same JSON, now known to be a schema document. Fields that the language does not know are let through. Whether
 * references lead anywhere is for a catalog to say.
 * @throws {LexiconError} `InvalidDocument`, listing every fault.
 * @see https://atproto.com/specs/lexicon
 */
export function parseLexiconDocument(json: unknown): LexiconDocument {
  const issues: Issue[] = []
  documentRule(json, '', (issue) => issues.push(issue))
  if (issues.length === 0) return json as LexiconDocument
  const id = isMap(json) ? json['id'] : undefined
  throw new LexiconError('InvalidDocument', typeof id === 'string' ? `lexicon ${id}` : 'lexicon', issues)
}
