export interface StaleCacheOptions<K, V> {
  readonly load: (key: K) => Promise<V>
  readonly now: () => number
  /** A value is served as it is for this long. */
  readonly freshMs: number
  /** Up to this age it is still served, while a new one is fetched behind the caller's back. */
  readonly staleMs: number
  /** A failure is served again for this long. */
  readonly negativeMs: number
  /** Entries kept; the least recently used goes first. */
  readonly capacity: number
  /** Whether a failure is an answer, which replaces a good value, or only the lack of one, which must not. */
  readonly isDefinitive: (error: unknown) => boolean
}

export interface StaleCache<K, V> {
  get(key: K): Promise<V>
  /** Loads anew, beginning not before this call; concurrent calls share one load. A failure throws. */
  refresh(key: K): Promise<V>
  /** The value that is known, fresh or not; neither loads nor counts as use. */
  peek(key: K): V | undefined
  /** Forgets the key; what is being loaded for it will not be kept. */
  delete(key: K): void
  readonly size: number
}

type Entry<V> =
  | { readonly kind: 'value'; readonly value: V; readonly loadedAt: number; retryAt: number }
  | { readonly kind: 'failure'; readonly error: unknown; readonly until: number }

interface Flight<V> {
  readonly promise: Promise<V>
  /** The question has been put: what changes from here on may be missing in its answer. */
  begun: boolean
  next?: Promise<V>
}

/** A bounded cache, fresh then stale, with one load per key at a time. */
export function createStaleCache<K, V>(options: StaleCacheOptions<K, V>): StaleCache<K, V> {
  const { load, now, freshMs, staleMs, negativeMs, capacity, isDefinitive } = options
  const entries = new Map<K, Entry<V>>()
  const flights = new Map<K, Flight<V>>()

  function put(key: K, entry: Entry<V>): void {
    entries.delete(key)
    entries.set(key, entry)
    if (entries.size > capacity) entries.delete(entries.keys().next().value!)
  }

  function fail(key: K, error: unknown): void {
    const known = entries.get(key)
    if (known?.kind === 'value' && !isDefinitive(error) && now() - known.loadedAt < staleMs)
      known.retryAt = now() + negativeMs
    else put(key, { kind: 'failure', error, until: now() + negativeMs })
  }

  function start(key: K): Promise<V> {
    const run = async () => {
      flight.begun = true
      try {
        const value = await load(key)
        if (flights.get(key) === flight) put(key, { kind: 'value', value, loadedAt: now(), retryAt: 0 })
        return value
      } catch (error) {
        if (flights.get(key) === flight) fail(key, error)
        throw error
      } finally {
        if (flights.get(key) === flight) flights.delete(key)
      }
    }
    // The load begins a microtask later, when `flight` is in place for it to compare with.
    const flight: Flight<V> = { promise: Promise.resolve().then(run), begun: false }
    flights.set(key, flight)
    return flight.promise
  }

  const share = (key: K) => flights.get(key)?.promise ?? start(key)

  return {
    get size() {
      return entries.size
    },
    async get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return await share(key)
      put(key, entry)
      if (entry.kind === 'failure') {
        if (now() < entry.until) throw entry.error
        return await share(key)
      }
      const age = now() - entry.loadedAt
      if (age >= staleMs) return await share(key)
      if (age >= freshMs && now() >= entry.retryAt) share(key).catch(() => {})
      return entry.value
    },
    async refresh(key) {
      const flight = flights.get(key)
      if (flight === undefined || !flight.begun) return await share(key)
      // What is under way may have asked before the change that the caller heard of: wait for it, then ask again.
      flight.next ??= flight.promise.then(
        () => share(key),
        () => share(key),
      )
      return await flight.next
    },
    peek(key) {
      const entry = entries.get(key)
      return entry?.kind === 'value' ? entry.value : undefined
    },
    delete(key) {
      entries.delete(key)
      flights.delete(key)
    },
  }
}
