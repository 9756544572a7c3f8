import { existsSync, readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'

type Body = () => void | Promise<void>

/**
 * A test that needs something which a user's clone does not have (a browser, PostgreSQL, the shared vectors).
 * Where `missing` names what is absent the test skips with that message; where `REQUIRE_INFRA=1`, as in continuous
 * integration, the absence fails it, so that nothing is left out unnoticed.
 */
export function infrastructureTest(title: string, missing: string | undefined, body: Body): void {
  if (missing === undefined) test(title, body)
  else if (process.env['REQUIRE_INFRA'] === '1')
    test(title, () => {
      throw new Error(`REQUIRE_INFRA=1, and ${missing}`)
    })
  else test(title, { skip: missing }, () => {})
}

const vectorsUrl = new URL('../../../../shared/vectors/', import.meta.url)

/** Files of the interoperability vectors that lie beside the repository, by path below `shared/vectors/`. */
export interface Vectors {
  /** Whole text of one file. */
  text(path: string): string
  json<T>(path: string): T
  /** Lines of a vector list: comments (`#`) and blank lines left out, nothing else trimmed. */
  lines(path: string): string[]
  /** File names in a folder, sorted. */
  list(path: string): string[]
}

const vectors: Vectors = {
  text: (path) => readFileSync(new URL(path, vectorsUrl), 'utf8'),
  json: (path) => JSON.parse(vectors.text(path)),
  lines: (path) =>
    vectors
      .text(path)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#')),
  list: (path) => readdirSync(new URL(path, vectorsUrl)).sort(),
}

/** A test over the shared vectors; skipped or failed where they are absent, as {@link infrastructureTest} says. */
export function vectorTest(title: string, body: (vectors: Vectors) => void | Promise<void>): void {
  infrastructureTest(
    title,
    existsSync(vectorsUrl) ? undefined : 'shared/vectors is not beside the repository',
    () => body(vectors),
  )
}
