import { timingSafeEqual } from 'node:crypto'
import { sha256 } from '@imago/data/sha256'
import { isDidPlc } from '@imago/identity/plc'
import type { Connection } from '@imago/service'
import { Reply } from '@imago/xrpc/server'
import type { Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type AddressLimits, placeOf } from '../address-limits.ts'
import type { PlcStore } from '../store/plc-store.ts'
import { isReason, MAX_REASON_LENGTH } from '../transparency/log-entry.ts'
import { CROSS_ORIGIN, HttpError, jsonReply } from './answers.ts'
import { isoTime } from './operation-json.ts'

const MAX_BODY_BYTES = 10 * 1024
const DEFAULT_REASON = 'it may not stand under the rules of did:plc'

export interface AdminOptions {
  /** What the operator proves themselves with; `undefined` closes the methods. */
  readonly secret: string | undefined
  /** Wrong secrets by place. */
  readonly tries: AddressLimits
}

/**
 * `POST /admin/removeInvalidOps` with `{ did, cid, reason?, adminSecret? }`: withdraws an operation that may not stand. The
 * secret comes in `Authorization: Bearer`, or in the body, as the public directory has it. Answered with the operations
 * that were withdrawn; headers say where the notice stands. Only what no version of today would take is withdrawn, and
 * nothing is deleted: see `PlcStore.withdraw`.
 */
export function adminRoutes(app: Hono, store: PlcStore, options: AdminOptions): void {
  const tooLarge = () => {
    throw new HttpError(413, `Request body too large (max ${MAX_BODY_BYTES} bytes)`)
  }
  app.post(
    '/admin/removeInvalidOps',
    bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }),
    async (c) => {
      const body = await bodyOf(c)
      const refused = checkSecret(c, body['adminSecret'], options)
      if (refused !== undefined) return refused.toResponse()
      const { did, cid, reason = DEFAULT_REASON } = body
      if (!isDidPlc(did)) throw new HttpError(400, `did is not a did:plc identifier: ${shown(did)}`)
      if (typeof cid !== 'string')
        throw new HttpError(400, `cid is not the CID of an operation: ${shown(cid)}`)
      if (!isReason(reason))
        throw new HttpError(400, `reason must be one line of 1 to ${MAX_REASON_LENGTH} characters`)
      const withdrawal = await store.withdraw({ did, cid, reason })
      const headers = {
        ...CROSS_ORIGIN,
        'content-type': 'application/json',
        'plc-cid': withdrawal.cid,
        'plc-seq': String(withdrawal.seq),
        'plc-created-at': isoTime(withdrawal.createdAt),
      }
      return new Reply(
        200,
        headers,
        `[${withdrawal.operations.map(({ json }) => json).join(',')}]`,
      ).toResponse()
    },
  )
}

async function bodyOf(c: Context): Promise<Readonly<Record<string, unknown>>> {
  const json: unknown = await c.req.json().catch(() => undefined)
  if (json === null || typeof json !== 'object' || Array.isArray(json))
    throw new HttpError(400, 'Request body is not a JSON object: { "did", "cid", "reason" } are expected')
  return json as Record<string, unknown>
}

function checkSecret(c: Context, inBody: unknown, { secret, tries }: AdminOptions): Reply | undefined {
  if (secret === undefined)
    return jsonReply(401, {
      message: 'Admin methods are closed here: PLC_ADMIN_SECRET_FILE is not set',
      error: 'AuthenticationRequired',
    })
  const { remoteAddress } = c.env as Partial<Connection>
  const place = placeOf(remoteAddress, c.req.header('x-forwarded-for'))
  const waitMs = tries.waitMs(place)
  // Who has guessed too often is not told whether this one was right.
  if (waitMs > 0)
    return jsonReply(
      429,
      { message: 'Too many wrong secrets from your address', error: 'RateLimitExceeded' },
      { 'retry-after': String(Math.ceil(waitMs / 1000)) },
    )
  const [, bearer] = /^Bearer +(.+)$/i.exec(c.req.header('authorization') ?? '') ?? []
  const given = bearer ?? inBody
  if (typeof given === 'string' && isSameSecret(given, secret)) return undefined
  tries.count(place)
  return jsonReply(
    401,
    {
      message:
        given === undefined
          ? 'The secret is missing: send it as Authorization: Bearer'
          : 'The secret is not that of this directory',
      error: 'AuthenticationRequired',
    },
    { 'www-authenticate': 'Bearer' },
  )
}

/** In the same time for whatever is given: of the same length, and nothing of the secret shows in the hashes. */
const isSameSecret = (given: string, secret: string): boolean => {
  const hash = (text: string) => sha256(new TextEncoder().encode(text))
  return timingSafeEqual(hash(given), hash(secret))
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 200)
