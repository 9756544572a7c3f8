// Makes a fresh clone runnable: runs before `npm start` and `npm test`, on whatever Node the machine has (18 or
// later), so it is plain JavaScript without dependencies. Installs what the lockfile names when that has changed,
// and, where this Node is too old to run TypeScript, the npm package that carries a newer one: npm puts
// node_modules/.bin first on PATH, so the script that follows runs on it. docs/decisions/001-runtime.md says why.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE_MAJOR = 24
const NODE_VERSION = '26.10.0'

const root = fileURLToPath(new URL('..', import.meta.url))
const stampFile = `${root}node_modules/.imago-setup`

/**
 * npm's own entry file where npm runs us, so that Windows needs no shell; the command otherwise, as when `npm ci` has
 * just removed the Node that we run on.
 */
function npm(...args) {
  const entry = process.env.npm_execpath
  const direct = entry?.endsWith('.js') && existsSync(process.execPath)
  const [command, prefix] = direct ? [process.execPath, [entry]] : ['npm', []]
  const { status, error } = spawnSync(
    command,
    [...prefix, ...args, '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  if (status !== 0) {
    console.error(`set-up: \`npm ${args.join(' ')}\` failed${error ? `: ${error.message}` : ''}`)
    process.exit(1)
  }
}

/** Whether the Node that npm's scripts will find first can run this project. */
function nodeIsNewEnough() {
  const { stdout } = spawnSync('node', ['--version'], { cwd: root, encoding: 'utf8' })
  return Number(/^v(\d+)/.exec(stdout ?? '')?.[1]) >= OLDEST_NODE_MAJOR
}

const lock = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex')
const stamp = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : ''

if (stamp !== lock) {
  console.log('set-up: installing dependencies')
  // No dependency needs an install script: the one native addon ships its binaries.
  npm('ci', '--ignore-scripts')
}
if (!nodeIsNewEnough()) {
  console.log(
    `set-up: the Node on the PATH is older than ${OLDEST_NODE_MAJOR}; adding Node ${NODE_VERSION} from npm`,
  )
  npm(
    'install',
    '--no-save',
    '--ignore-scripts',
    `node-${process.platform.replace('win32', 'win')}-${process.arch}@${NODE_VERSION}`,
  )
  if (!nodeIsNewEnough()) {
    console.error(
      `set-up: no Node ${NODE_VERSION} for ${process.platform}-${process.arch} on npm; install Node ${OLDEST_NODE_MAJOR} or later`,
    )
    process.exit(1)
  }
}
if (stamp !== lock) writeFileSync(stampFile, lock)
