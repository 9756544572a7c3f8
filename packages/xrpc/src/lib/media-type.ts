/** The media type in a `Content-Type` value: lower-case, without parameters. Empty where there is none. */
export function mediaTypeOf(contentType: string | null): string {
  if (contentType === null) return ''
  const end = contentType.indexOf(';')
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/** Whether a media type is what a schema's `encoding` asks for: one type, or a range such as `image/*`. */
export function acceptsMediaType(encoding: string, mediaType: string): boolean {
  if (encoding === '*/*') return mediaType !== ''
  if (encoding.endsWith('/*')) return mediaType.startsWith(encoding.slice(0, -1))
  return encoding === mediaType
}

/** Whether bodies of this encoding are values of the data model in JSON form. */
export function isJson(encoding: string): boolean {
  return encoding === 'application/json'
}
