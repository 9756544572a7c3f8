import type { Records, Scene } from './scene.ts'
import type { Step, Transcript } from './transcript.ts'

/** What the repositories hold, by DID; an account that is gone is not in it. */
export type Repos = Readonly<Record<string, Records>>

/**
 * Every state that the repositories may be in after a flow that broke off: all that was acknowledged, and of each step
 * that failed or did not end either all or nothing.
 */
export function possibleRepos(scene: Scene, { steps }: Transcript): Repos[] {
  let states: Repos[] = [scene.repos]
  for (const step of steps) {
    const after = states.map((state) => apply(state, step, scene))
    states = step.outcome === 'done' ? after : [...states, ...(step.effects.length > 0 ? after : [])]
  }
  return states
}

function apply(state: Repos, { effects }: Step, scene: Scene): Repos {
  const next = Object.fromEntries(Object.entries(state).map(([did, records]) => [did, { ...records }]))
  for (const effect of effects) {
    if (effect.kind === 'deleted') delete next[effect.did]
    else if (effect.kind === 'repo') next[effect.did] = { ...(scene.extra[effect.extra] as Records) }
    else if (effect.value === null) delete next[effect.did]?.[effect.path]
    else next[effect.did]![effect.path] = effect.value
  }
  return next
}
