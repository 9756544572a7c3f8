/** One for JavaScript's thread, one for those that hash passwords and wait for the disk. */
const ARENAS = '2'

/**
 * Begins this process again, as it is, with few memory arenas. glibc gives threads arenas of their own, up to eight per
 * core, and hardly returns what was once used: hashing a dozen passwords left 70 MB behind. The setting is read when a
 * process begins, so a running one cannot take it for itself. Does nothing elsewhere than on Linux, or where the
 * environment says something already.
 */
export function beginWithFewArenas(): void {
  if (process.platform !== 'linux' || process.env['MALLOC_ARENA_MAX'] !== undefined) return
  const { execPath, execArgv, argv } = process
  // Same process id, same standard streams.
  process.execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1)], {
    ...process.env,
    MALLOC_ARENA_MAX: ARENAS,
  })
}
