import type { RecordSchema } from '@imago/lexicon'
import type { Nsid } from '@imago/syntax'
import { LexiconResolutionError, type LexiconResolver } from './lexicon-resolver.ts'
import { InvalidRecordError } from './prepare-record.ts'

/** The schema of a record type, where it is known without asking anybody. */
export type RecordSchemas = (collection: Nsid) => RecordSchema<unknown> | undefined

/**
 * Finds what a record has to be checked against.
 * @param validate as the caller of a write says it: with `true` the network is asked for what is not known here; with
 *   `false` nothing counts.
 * @returns `undefined` when the record is to be written unchecked.
 * @throws {InvalidRecordError} when the caller insists, and there is no such schema to be had.
 */
export type FindRecordSchema = (
  collection: Nsid,
  validate: boolean | undefined,
) => Promise<RecordSchema<unknown> | undefined>

/** @param lexicons left out where schemas are not to be looked for in the network. */
export function createRecordSchemas(
  known: RecordSchemas,
  lexicons: Pick<LexiconResolver, 'record'> | undefined,
): FindRecordSchema {
  return async (collection, validate) => {
    if (validate === false) return undefined
    const schema = known(collection)
    if (schema !== undefined || validate === undefined) return schema
    const way = 'leave "validate" out to write the record without it'
    if (lexicons === undefined)
      throw new InvalidRecordError(`the schema of ${collection} is not known here: ${way}`)
    try {
      return await lexicons.record(collection)
    } catch (cause) {
      if (!(cause instanceof LexiconResolutionError)) throw cause
      throw new InvalidRecordError(`${cause.message}; ${way}`, { cause })
    }
  }
}
