import type { Did } from '@imago/syntax'

/** The row behind a refresh token. */
export interface RefreshTokenRow {
  readonly id: string
  readonly did: Did
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number
  /** The app password that it was got with; `undefined`: the account's own. */
  readonly appPassword?: AppPassword | undefined
}

/** A password for one app, which opens less than the account's own. */
export interface AppPassword {
  /** Unique within the account. */
  readonly name: string
  /** Opens private messages as well. */
  readonly privileged: boolean
}

/**
 * Which refresh tokens are worth something. Each operation is atomic, and durable when its promise resolves; two that
 * run at once on the same token behave as if one came after the other.
 */
export interface RefreshTokenStore {
  add(row: RefreshTokenRow): Promise<void>
  /**
   * Exchanges a token for its only successor. The first call makes the successor with the id and expiry of `next`,
   * and lets the old token live until `graceUntil` at most. A later call, before that time, answers the successor that
   * was made then: a client whose answer was lost, or two tabs at once, come out with one session.
   * @returns the successor, which hangs on the same app password; or `undefined` when the token (or its successor, or
   * that app password) is gone or past its time.
   */
  rotate(
    id: string,
    next: { id: string; expiresAt: number },
    at: { now: number; graceUntil: number },
  ): Promise<RefreshTokenRow | undefined>
  /** Removes a token and all that came from it. Nothing happens when it is gone already. */
  remove(id: string): Promise<void>
  /** Removes every token of an account. */
  removeAll(did: Did): Promise<void>
}
