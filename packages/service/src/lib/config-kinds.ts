/** How the text of a variable becomes a value. */
export interface Kind<Value> {
  /** What a person should write, such as `whole number` or `debug | info`. Completes "expected …". */
  readonly name: string
  /** The value, or `undefined` when the text is no such thing. `text` is never empty. */
  parse(text: string): Value | undefined
  /** The default as a person would write it. */
  format(value: Value): string
}

/** Any text. */
export const text: Kind<string> = { name: 'text', parse: (text) => text, format: (value) => value }

export const bool: Kind<boolean> = {
  name: 'true or false',
  parse: (text) => {
    if (/^(1|t|true|yes|on)$/i.test(text)) return true
    if (/^(0|f|false|no|off)$/i.test(text)) return false
    return undefined
  },
  format: String,
}

/** A whole number, at least `min` (default 0) and at most `max`. */
export function integer({ min = 0, max = Number.MAX_SAFE_INTEGER } = {}): Kind<number> {
  const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
  return {
    name: `whole number ${bounds}`,
    parse: (text) => {
      const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
      return value >= min && value <= max ? value : undefined
    },
    format: String,
  }
}

/** A TCP port; 0 lets the system choose. */
export const port: Kind<number> = { ...integer({ max: 65_535 }), name: 'port number from 0 to 65535' }

/** An `http` or `https` address, without a slash at the end. */
export const url: Kind<string> = {
  name: 'address such as https://example.com',
  parse: (text) => {
    const parsed = URL.parse(text)
    if (!parsed || !/^https?:$/.test(parsed.protocol)) return undefined
    return text.replace(/\/+$/, '')
  },
  format: (value) => value,
}

const MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** A length of time in milliseconds, written `500ms`, `30s`, `5m`, `72h`, `7d` or `1h30m`; a bare number is milliseconds. */
export const duration: Kind<number> = {
  name: 'duration such as 30s, 5m, 72h or 7d',
  parse: (text) => {
    if (/^\d+$/.test(text)) return Number(text)
    if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(text)) return undefined
    let total = 0
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g))
      total += Number(amount) * MS[unit!]!
    return Math.round(total)
  },
  format: (value) => inUnits(value, MS, 'ms'),
}

const BYTES: Readonly<Record<string, number>> = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 }

/** A size in bytes, written `500kb`, `5mb` or `2gb` (powers of 1024); a bare number is bytes. */
export const bytes: Kind<number> = {
  name: 'size such as 500kb, 5mb or 2gb',
  parse: (text) => {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])i?)?b?$/i.exec(text) ?? []
    if (amount === undefined) return undefined
    return Math.round(Number(amount) * (unit ? BYTES[`${unit.toLowerCase()}b`]! : 1))
  },
  format: (value) => inUnits(value, BYTES, ''),
}

function inUnits(value: number, units: Readonly<Record<string, number>>, smallest: string): string {
  const fitting = Object.entries(units).findLast(([, size]) => value >= size && value % size === 0)
  return fitting ? `${value / fitting[1]}${fitting[0]}` : `${value}${smallest}`
}

/** One of a few words. */
export function choice<const Choice extends string>(...choices: readonly Choice[]): Kind<Choice> {
  return {
    name: choices.join(' | '),
    parse: (text) => choices.find((one) => one === text),
    format: (value) => value,
  }
}

/** Values separated by commas; spaces around them and empty ones are left out. */
export function list<Value>(kind: Kind<Value>): Kind<readonly Value[]> {
  return {
    name: `comma-separated list, each a ${kind.name}`,
    parse: (text) => {
      const parts = text.split(',').map((part) => part.trim())
      const values = parts.filter((part) => part !== '').map((part) => kind.parse(part))
      return values.every((value) => value !== undefined) ? values : undefined
    },
    format: (values) => values.map((value) => kind.format(value)).join(','),
  }
}

/** Where to listen. No hostname means every interface. */
export interface ListenAddress {
  readonly hostname: string | undefined
  readonly port: number
}

/** A listening address: `:2470`, `2470`, `127.0.0.1:2470` or `[::1]:2470`. */
export const listenAddress: Kind<ListenAddress> = {
  name: 'listening address such as :2470 or 127.0.0.1:2470',
  parse: (text) => {
    const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]:|([^:[\]]*):)?(\d+)$/.exec(text) ?? []
    const number = digits === undefined ? undefined : port.parse(digits)
    return number === undefined ? undefined : { hostname: (bracketed ?? plain) || undefined, port: number }
  },
  format: ({ hostname = '', port }) => `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`,
}
