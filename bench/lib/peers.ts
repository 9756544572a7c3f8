import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import pinned from '../peers.json' with { type: 'json' }

const peersFolder = fileURLToPath(new URL('../peers', import.meta.url))

export type PeerSet = keyof typeof pinned

/** Of npm's output, in a row's note. */
const SUMMARY_LINES = 3

/** Packages of others, installed beside the benchmarks and seen by nothing else. */
export interface Peers {
  /** Package names with their versions: what rows call them. */
  title(packageName: string): string
  /** @throws when the set has no such package. */
  load(packageName: string): Promise<unknown>
  /** The module whose `load` imports what the set holds, for processes of their own. */
  readonly entry: string
}

/** A peer that cannot be had here: rows against it are missing. */
export class PeerUnavailableError extends Error {
  override readonly name = 'PeerUnavailableError'
}

/** Whether a set is there as bench/peers.json pins it, so that {@link installPeers} has nothing to do. */
export function arePeersInstalled(set: PeerSet): boolean {
  const stampFile = join(peersFolder, set, '.installed')
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stampOf(set)
}

/** What a set was installed from. What is compiled fits one version of Node. */
function stampOf(set: PeerSet): string {
  const { dependencies, build = [] } = pinned[set] as PinnedSet
  return JSON.stringify({ dependencies, build, node: build.length > 0 ? process.version : '' })
}

interface PinnedSet {
  readonly dependencies: Record<string, string>
  readonly build?: string[]
}

/**
 * Installs one set of bench/peers.json into bench/peers/, which git does not see, unless it is there already.
 * @throws {PeerUnavailableError} when npm fails: no network, no compiler.
 */
export async function installPeers(set: PeerSet, progress: (text: string) => void): Promise<Peers> {
  const { dependencies, build = [] } = pinned[set] as PinnedSet
  const folder = join(peersFolder, set)
  const entry = join(folder, 'entry.mjs')
  if (!arePeersInstalled(set)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
    // An import resolves from the file it stands in.
    writeFileSync(entry, 'export const load = (name) => import(name)\n')
    progress(`installing ${Object.keys(dependencies).join(', ')}`)
    await npm(folder, ['install', '--ignore-scripts', '--no-audit', '--no-fund'], progress)
    if (build.length > 0) {
      progress(`compiling ${build.join(', ')} for Node ${process.version}`)
      await npm(folder, ['rebuild', ...build], progress)
    }
    writeFileSync(join(folder, '.installed'), stampOf(set))
  }
  return {
    entry,
    title: (name) => `${name} ${dependencies[name]}`,
    load: async (name) => (await import(pathToFileURL(entry).href)).load(name),
  }
}

async function npm(cwd: string, args: readonly string[], progress: (text: string) => void): Promise<void> {
  const entry = process.env['npm_execpath']
  const [command, prefix] = entry?.endsWith('.js') ? [process.execPath, [entry]] : ['npm', []]
  const child = spawn(command, [...prefix, ...args, '--loglevel=error'], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: npmEnvironment(),
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk
    })
  const [code] = await once(child, 'exit').catch((error) => {
    throw new PeerUnavailableError(`npm cannot be run: ${error.message}`)
  })
  if (code === 0) return
  progress(`npm ${args.join(' ')} failed:\n${output}`)
  throw new PeerUnavailableError(
    `npm ${args[0]} of the peers failed: ${output.trim().split('\n', SUMMARY_LINES).join('; ')}`,
  )
}

/** With this very Node found first by install scripts, and its headers, where they lie beside it, by compilers. */
function npmEnvironment(): NodeJS.ProcessEnv {
  const nodeFolder = dirname(dirname(realpathSync(process.execPath)))
  const hasHeaders = existsSync(join(nodeFolder, 'include/node/node.h'))
  // What npm tells the script that runs us is about this project, not about the peers' folder.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^npm_(config_(local_)?prefix|package_|lifecycle_)/i.test(name),
  )
  return {
    ...Object.fromEntries(inherited),
    PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
    npm_config_build_from_source: 'true',
    ...(hasHeaders && { npm_config_nodedir: nodeFolder }),
  }
}
