import type { Html } from './html.ts'
import { type PageFacts, page } from './pages/layout.ts'

/** Makes a whole page of what a route has to say. */
export type Render = (facts: Omit<PageFacts, 'version'>) => Html

export function renderer(version: string): Render {
  return (facts) => page({ ...facts, version })
}
