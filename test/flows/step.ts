import type { InkPlatform } from '../../sandbox/ink/platform.ts'
import { systemClock } from '../../src/core/async.ts'
import type { Run } from '../../src/flows/run.ts'
import { openPlatform, type Platform } from '../../src/ink/platform.ts'
import { openSession } from '../../src/ink/session.ts'
import type { DomainView } from '../../src/report/model.ts'

/** How one step differs from the usual one. */
export interface StepOptions {
  readonly signal?: AbortSignal
  readonly onLine?: (line: string) => void
  readonly change?: (platform: Platform) => Platform
}

/** What one step left behind, except what it did to the platform. */
export interface Step {
  readonly warnings: readonly string[]
  /** What the report shows of the domain. */
  readonly domain: DomainView | undefined
  readonly thrown: unknown
}

/** Steps of a deployment that come once it is live, without the deployment. */
export interface Steps extends AsyncDisposable {
  take(step: (run: Run) => Promise<void>, options?: StepOptions): Promise<Step>
}

/** Connects to the platform, once for all the steps. */
export async function openSteps({ endpoint, apiKey }: InkPlatform): Promise<Steps> {
  const never = new AbortController().signal
  const quiet = { fetch, clock: systemClock, random: Math.random, debug: () => undefined }
  const session = await openSession({ endpoint, apiKey, ...quiet }, never)
  return {
    async take(step, { signal = never, onLine = () => undefined, change } = {}) {
      const warnings: string[] = []
      const warning = (text: string) => void warnings.push(text)
      const opened = openPlatform(session, { project: 'default', workspace: undefined }, warning)
      const platform: Platform = { ...opened, [Symbol.asyncDispose]: async () => undefined }
      let domain: DomainView | undefined
      const run = {
        platform: change?.(platform) ?? platform,
        signal,
        secrets: () => [apiKey],
        log: { info: onLine, warning },
        reporter: {
          update: (shown: { readonly domain?: DomainView }) => {
            domain = shown.domain
          },
        },
      } as unknown as Run
      const thrown = await step(run).catch((error: unknown) => error)
      return { warnings, domain, thrown }
    },
    [Symbol.asyncDispose]: () => session.close(),
  }
}
