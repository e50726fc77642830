// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of ink.yml
import type { EventOptions } from '../../sandbox/github/github.ts'
import type { Act, How, Scene, Stage } from './stage.ts'

/** Two services, of which one takes the other's address and a secret. */
export const two = `services:
  web:
    root: apps/web
    env: { API_URL: "\${services.api.url}", API_HOST: "\${services.api.host}", STRIPE: "\${secrets.STRIPE}" }
  api:
    root: apps/api
`
export const pages = { 'apps/web/index.html': 'web', 'apps/api/index.html': 'api' }
export const inputs = { env: 'STRIPE=sk_live_1' }

/** A repository whose file has several services. */
export interface Several {
  readonly scene: Scene
  /** What a service is called in production; `web` keeps the name that a single service has. */
  name(service: string): string
  /** Commits to main. */
  merge(files: Record<string, string | null>): Promise<string>
  push(after: string, how?: How): Promise<Act>
  /** Statuses by service, as the output `services` has them. */
  statuses(run: Act): Record<string, string>
}

/** The same with a pull request that brings these services. */
export interface SeveralPreviews extends Several {
  readonly number: number
  readonly sha: string
  /** What a service is called in the pull request. */
  preview(service: string): string
  /** Commits to the branch of the pull request. */
  commit(files: Record<string, string | null>): Promise<string>
  event(action: string, how?: How, options?: EventOptions): Promise<Act>
  /** Statuses of the card, by the names on the platform. */
  rows(): Record<string, string>
}

export async function several(stage: Stage): Promise<Several> {
  const scene = await stage.scene()
  return {
    scene,
    name: (service) => (service === 'web' ? scene.production : `${scene.production}-${service}`),
    merge: (files) => scene.repository.commit({ branch: 'main', files, message: 'Change' }),
    push: (after, how = { inputs }) => scene.act('push', { after }, how),
    statuses: (run) => {
      const told = JSON.parse(run.outputs.services ?? '{}') as Record<string, { status: string }>
      return Object.fromEntries(Object.entries(told).map(([service, { status }]) => [service, status]))
    },
  }
}

export async function severalPreviews(
  stage: Stage,
  text = two,
  files: Record<string, string> = pages,
): Promise<SeveralPreviews> {
  const made = await several(stage)
  const { scene, name } = made
  const { number } = await scene.open('hello')
  const branch = scene.repository.pull(number).headRef
  const commit = (changed: Record<string, string | null>) =>
    scene.repository.commit({ branch, files: changed, message: 'Change' })
  return {
    ...made,
    number,
    sha: await commit({ 'ink.yml': text, ...files }),
    preview: (service) => `${name(service)}-pr-${number}`,
    commit,
    event: (action, how = { inputs }, options = {}) =>
      scene.act('pull_request', { action, number, ...options } as EventOptions, how),
    rows: () => Object.fromEntries(scene.rows(number).map(({ service, status }) => [service, status])),
  }
}
