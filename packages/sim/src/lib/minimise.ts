/**
 * A shorter input that still fails: takes out ever smaller pieces, then simplifies what is left to zeros, for as long
 * as `fails` says that nothing was lost.
 * @param fails called at most `attempts` times, each time with bytes of its own.
 */
export function minimise(
  input: Uint8Array,
  fails: (input: Uint8Array) => boolean,
  attempts = 2000,
): Uint8Array {
  let best: Uint8Array = input.slice()
  let left = attempts
  const keepIfFails = (candidate: Uint8Array): boolean => {
    if (left-- <= 0 || !fails(candidate.slice())) return false
    best = candidate
    return true
  }
  for (let size = best.length >> 1; size >= 1 && left > 0; size >>= 1)
    for (let at = 0; at < best.length && left > 0; ) {
      const shorter = new Uint8Array(best.length - Math.min(size, best.length - at))
      shorter.set(best.subarray(0, at))
      shorter.set(best.subarray(Math.min(at + size, best.length)), at)
      if (!keepIfFails(shorter)) at += size
    }
  for (let at = 0; at < best.length && left > 0; at++) if (best[at] !== 0) keepIfFails(best.with(at, 0))
  return best
}
