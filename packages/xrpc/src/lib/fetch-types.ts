/** What `new Headers` takes. */
export type HeadersLike = NonNullable<ConstructorParameters<typeof Headers>[0]>

/** What `fetch` takes for a body. */
export type BodyLike = NonNullable<RequestInit['body']>
