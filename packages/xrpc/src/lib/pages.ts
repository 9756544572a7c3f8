import type { HttpSchema } from './schema-types.ts'
import type { CallArguments, CallOptions, CallOutput, Client } from './xrpc-client.ts'

/**
 * The outputs of a query page by page, following `cursor` until there is none. A server that gives the same cursor
 * twice has no more to say.
 * @throws as {@link Client.call} does
 */
export async function* pages<S extends HttpSchema>(
  client: Client,
  schema: S,
  ...[options]: CallArguments<S>
): AsyncGenerator<CallOutput<S>> {
  let cursor: string | undefined
  do {
    const params = cursor === undefined ? options?.params : { ...options?.params, cursor }
    const page = await client.call(
      schema,
      ...([{ ...options, params } as CallOptions<S>] as CallArguments<S>),
    )
    yield page
    const next = (page as { readonly cursor?: string } | undefined)?.cursor
    cursor = next === cursor ? undefined : next
  } while (cursor)
}
