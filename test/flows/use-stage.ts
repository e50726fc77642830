import { afterAll, afterEach, beforeAll } from 'vitest'
import type { GitHubOptions } from '../../sandbox/github/github.ts'
import type { InkOptions } from '../../sandbox/ink/platform.ts'
import { openStage, type Stage } from './stage.ts'

/** A stage for the tests of a file or of a `describe`, which clears what faults a test has left. */
export function useStage(options?: InkOptions, forge?: GitHubOptions): Stage {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(options, forge)
  })
  afterEach(async () => {
    await stage.ink.clearFaults()
    stage.github.clearFaults()
  })
  afterAll(async () => stage[Symbol.asyncDispose]())
  return {
    get ink() {
      return stage.ink
    },
    get github() {
      return stage.github
    },
    scene: (name) => stage.scene(name),
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  }
}
