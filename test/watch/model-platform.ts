import { ToolError } from '../../src/ink/errors.ts'
import type { ServiceReading } from '../../src/watch/readings.ts'
import { LostAnswer, Passing } from './stage.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** How one deployment goes, from its start. All times in milliseconds. */
export interface Course {
  readonly queueMs: number
  readonly buildMs: number
  readonly rolloutMs: number
  readonly end: 'active' | 'failed' | 'crashed'
  /** How long it lives when it crashes after having been active. */
  readonly livesMs: number
}

export type TriggerFault = 'none' | 'lost-before' | 'lost-after' | 'lost-between' | 'redeploy-failed' | 'busy'
export type ReadFault = 'none' | 'none' | 'passing' | 'hang' | 'missing' | 'strange'
export type OtherAction = 'switch' | 'redeploy' | 'same-branch' | 'switch-without-deploy' | 'delete' | 'cancel'

interface Deployment {
  readonly branch: string
  readonly startedAt: number
  readonly course: Course
  readonly failsAtOnce: boolean
  cancelledAt: number | undefined
}

const WIND_DOWN_MS = 2_000

/**
 * The platform's rules in small: the status is that of the latest deployment, whoever started it; a new one cancels
 * those in flight and may fail while they wind down; what was active stays so until the next one is.
 */
export class ModelPlatform {
  readonly #clock: VirtualClock
  readonly #courses: readonly Course[]
  #branch: string | undefined
  #deployments: Deployment[] = []
  #lastCancelAt = Number.NEGATIVE_INFINITY
  #started = 0
  /** Counts services: one that is made anew is not the one whose removal is under way. */
  #generation = 0
  #deafUntilGone = false

  constructor(clock: VirtualClock, courses: readonly Course[]) {
    this.#clock = clock
    this.#courses = courses
  }

  get branch(): string | undefined {
    return this.#branch
  }

  /**
   * The deployment that the URL answers with now. One that became active has superseded those before it for good: when
   * it crashes, nobody answers.
   */
  live(): { branch: string; startedAt: number } | undefined {
    const now = this.#clock.now()
    const last = this.#deployments.findLast((each) => activeSince(each, now) !== undefined)
    return last && statusOf(last, now) === 'active' ? last : undefined
  }

  read(fault: ReadFault): ServiceReading | undefined | Error | Promise<never> {
    if (fault === 'passing') return new Passing('503')
    if (fault === 'hang') return new Promise<never>(() => undefined)
    if (fault === 'missing' || this.#branch === undefined) return undefined
    const latest = this.#deployments.at(-1)
    const status = latest === undefined ? 'pending' : statusOf(latest, this.#clock.now())
    const errorMessage = latest?.failsAtOnce === true ? 'child workflow execution already started' : undefined
    return {
      branch: this.#branch,
      status: fault === 'strange' ? 'rebalancing' : status,
      ...(errorMessage === undefined ? {} : { errorMessage }),
      deployLogs: [],
      runtimeLogs: [],
    }
  }

  /** Creates the service or updates it to the branch. */
  trigger(how: 'create' | 'update', branch: string, fault: TriggerFault): Error | undefined {
    if (fault === 'lost-before') return new LostAnswer('connect timeout')
    if (fault === 'busy') return new Passing('429', 1_500)
    if (how === 'create' && this.#branch !== undefined)
      return new ToolError(
        'create_service',
        'failed to start deployment: service "shop" already exists in this project',
      )
    if (how === 'update' && (this.#branch === undefined || this.#deafUntilGone))
      return new ToolError('update_service', 'service not found: shop in project default')
    if (how === 'create') this.#generation += 1
    this.#branch = branch
    if (fault === 'lost-between') return new LostAnswer('socket hang up')
    if (fault === 'redeploy-failed') return new ToolError('update_service', 'service updated but redeploy failed: busy')
    this.deploy()
    return fault === 'lost-after' ? new LostAnswer('socket hang up') : undefined
  }

  /**
   * A removal that was asked for, and takes its time: until it is done nothing tells of it.
   * @param deaf whether the service can be updated no more
   */
  beginRemoval(afterMs: number, deaf: boolean, signal: AbortSignal): void {
    const generation = this.#generation
    this.#deafUntilGone = deaf
    void this.#clock.sleep(afterMs, signal).then(() => {
      if (this.#generation !== generation) return
      this.#deafUntilGone = false
      this.act('delete', '')
    })
  }

  /** Starts a deployment of the branch that the service names. */
  deploy(branch: string | undefined = this.#branch): void {
    if (branch === undefined) return
    this.#branch = branch
    const now = this.#clock.now()
    const windingDown = now - this.#lastCancelAt < WIND_DOWN_MS
    this.cancel()
    const course = this.#courses[this.#started % this.#courses.length]
    if (course === undefined) throw new Error('a model needs at least one course')
    this.#started += 1
    this.#deployments.push({ branch, startedAt: now, course, failsAtOnce: windingDown, cancelledAt: undefined })
  }

  /** Cancels what is in flight. */
  cancel(): void {
    const now = this.#clock.now()
    for (const each of this.#deployments) {
      if (!['queued', 'building', 'deploying'].includes(statusOf(each, now))) continue
      each.cancelledAt = now
      this.#lastCancelAt = now
    }
  }

  /** Somebody else does something. */
  act(action: OtherAction, ours: string): void {
    if (this.#branch === undefined) return
    if (action === 'switch') this.deploy('main')
    if (action === 'redeploy') this.deploy()
    if (action === 'same-branch') this.deploy(ours)
    if (action === 'switch-without-deploy') this.#branch = 'main'
    if (action === 'cancel') this.cancel()
    if (action === 'delete') {
      this.#branch = undefined
      this.#deployments = []
    }
  }
}

function statusOf({ course, startedAt, failsAtOnce, cancelledAt }: Deployment, now: number): string {
  if (failsAtOnce) return 'failed'
  if (cancelledAt !== undefined) return 'cancelled'
  const age = now - startedAt
  const built = course.queueMs + course.buildMs
  if (age < course.queueMs) return 'queued'
  if (age < built) return 'building'
  if (course.end === 'failed') return 'failed'
  if (age < built + course.rolloutMs) return 'deploying'
  return course.end === 'crashed' && age >= built + course.rolloutMs + course.livesMs ? 'crashed' : 'active'
}

/** When a deployment became active; undefined when it has not, or never will. */
function activeSince({ course, startedAt, failsAtOnce, cancelledAt }: Deployment, now: number): number | undefined {
  if (failsAtOnce || cancelledAt !== undefined || course.end === 'failed') return undefined
  const at = startedAt + course.queueMs + course.buildMs + course.rolloutMs
  return at <= now ? at : undefined
}
