import type { TestPds } from '../../services/pds/test/test-pds.ts'
import type { Fault } from './fault.ts'
import type { Scene } from './scene.ts'
import type { Stage } from './stage.ts'
import type { Transcript } from './transcript.ts'

/** What is left when the process is gone. */
export interface Aftermath {
  readonly root: string
  readonly scene: Scene
  readonly transcript: Transcript
}

/** Something that a server does, as a story that is told the same way each time. */
export interface Flow {
  /** As people call it on the command line; also the name of its file. */
  readonly name: string
  /** Makes what the flow begins with below `root`, and the scene that describes it. */
  prepare(root: string): Promise<Scene>
  /** The story. Runs in the process that is broken. */
  play(stage: Stage): Promise<void>
  /** What befalls it beside what befalls every flow. */
  readonly alsoBy?: readonly Fault[]
  /** A thread that the server starts for itself takes part: without any call of its own it is not this story. */
  readonly hasWorker?: true
  /** What an operator does before a server can start again. Default: nothing. */
  recover?(aftermath: Aftermath): Promise<void>
  /** Where the server is that is looked at in the end. Default: `pds`. */
  readonly data?: string
  /** How much later than the scene the flow ends, at most, in milliseconds. Default 0. */
  readonly lastsMs?: number
  /** What is to be checked beyond repositories, stream and the blobs that records refer to. */
  check?(aftermath: Aftermath, pds: TestPds): Promise<void>
}
