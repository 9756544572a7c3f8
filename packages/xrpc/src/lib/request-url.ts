const PREFIX = '/xrpc/'

/**
 * What follows `/xrpc/` at the root of an absolute URL, up to the query; `undefined` for any other path. One slash at
 * the end is let pass. Slices the string: parsing a URL costs more than most queries do.
 */
export function methodName(url: string): string | undefined {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  if (start === -1 || !url.startsWith(PREFIX, start)) return undefined
  const end = endOfPath(url, start)
  return url.slice(start + PREFIX.length, url[end - 1] === '/' ? end - 1 : end)
}

/** The query of an absolute URL, without the question mark. */
export function queryOf(url: string): string {
  const start = url.indexOf('?')
  if (start === -1) return ''
  const end = url.indexOf('#')
  if (end === -1) return url.slice(start + 1)
  return end < start ? '' : url.slice(start + 1, end)
}

function endOfPath(url: string, from: number): number {
  for (let at = from; at < url.length; at++) if (url[at] === '?' || url[at] === '#') return at
  return url.length
}
