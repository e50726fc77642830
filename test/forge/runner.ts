import { setTimeout as pause } from 'node:timers/promises'
import { runAct, type WorkflowResult } from '../act/act.ts'
import type { Gitea } from './gitea.ts'

/** A task as Gitea hands it to a runner. Source: Gitea's `actions-proto-go`, `runner/v1/messages.proto`. */
interface Task {
  readonly id: string
  /** The workflow with one job in it, in base64. */
  readonly workflowPayload: string
  readonly context: Readonly<Record<string, unknown>>
  readonly secrets?: Readonly<Record<string, string>>
}

/** What Gitea answers to a report. */
interface Told {
  readonly state?: { readonly result?: string }
}

export interface FinishedTask extends WorkflowResult {
  readonly eventName: string
  readonly action: string | undefined
  /** Gitea took the task back while it ran. */
  readonly cancelled: boolean
}

export interface GiteaRunner {
  /**
   * Waits for a task, runs it and reports it to Gitea.
   *
   * @throws when none comes within a minute
   */
  runNext(): Promise<FinishedTask>
}

const WAIT_MS = 60_000

/**
 * A runner for a Gitea. Gitea's own is not in the Go module proxy, and is nektos/act with this protocol around it, so
 * this is the protocol, around the same act.
 */
export async function registerRunner(gitea: Gitea, endpoint: string): Promise<GiteaRunner> {
  const service = `${gitea.url}/api/actions/runner.v1.RunnerService`
  let credentials: Record<string, string> = {}
  const call = async <T>(name: string, body: unknown): Promise<T> => {
    const headers = { 'content-type': 'application/json', ...credentials }
    const answer = await fetch(`${service}/${name}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${name}: HTTP ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as T
  }
  // What a job's `runs-on` names; how it is carried out is the runner's own business.
  const labels = ['ubuntu-latest']
  const facts = { name: 'loopback', token: gitea.registrationToken, version: 'v1.0.0', labels }
  const { runner } = await call<{ runner: { uuid: string; token: string } }>('Register', facts)
  credentials = { 'x-runner-uuid': runner.uuid, 'x-runner-token': runner.token }
  await call('Declare', { version: facts.version, labels })

  return {
    async runNext() {
      const task = await nextTask(call)
      const startedAt = new Date().toISOString()
      const state = { id: task.id, startedAt, steps: [] }
      const cancelled = new AbortController()
      const over = new AbortController()
      // As Gitea's own runner does: it hears of a cancellation when it reports how far it is.
      const report = async () => {
        while (!cancelled.signal.aborted && !over.signal.aborted) {
          const told = await call<Told>('UpdateTask', { state: { ...state, result: 'RESULT_UNSPECIFIED' } })
          if (told.state?.result === 'RESULT_CANCELLED') cancelled.abort()
          await pause(1000, undefined, { signal: over.signal }).catch(() => undefined)
        }
      }
      const reporting = report()
      const result = await runTask(task, endpoint, cancelled.signal)
      over.abort()
      await reporting
      const rows = result.log.split('\n').map((content) => ({ time: startedAt, content }))
      await call('UpdateLog', { taskId: task.id, index: '0', rows, noMore: true })
      const conclusion = result.succeeded ? 'RESULT_SUCCESS' : 'RESULT_FAILURE'
      await call('UpdateTask', { state: { ...state, result: conclusion, stoppedAt: new Date().toISOString() } })
      const { event, event_name } = task.context as { event: { action?: string }; event_name: string }
      return { ...result, eventName: event_name, action: event.action, cancelled: cancelled.signal.aborted }
    },
  }
}

async function nextTask(call: <T>(name: string, body: unknown) => Promise<T>): Promise<Task> {
  const deadline = Date.now() + WAIT_MS
  while (Date.now() < deadline) {
    const { task } = await call<{ task?: Task }>('FetchTask', { tasksVersion: '0' })
    if (task) return task
    await pause(200)
  }
  throw new Error(`Gitea had no task for the runner within ${WAIT_MS / 1000} seconds.`)
}

function runTask(
  { workflowPayload, context, secrets = {} }: Task,
  endpoint: string,
  signal: AbortSignal,
): Promise<WorkflowResult> {
  const told = Object.fromEntries(Object.entries(context).map(([name, value]) => [name, String(value)]))
  const token = secrets.GITHUB_TOKEN ?? told.token ?? ''
  return runAct({
    eventName: told.event_name ?? '',
    payload: context.event,
    workflow: Buffer.from(workflowPayload, 'base64').toString('utf8'),
    files: {},
    actor: told.actor ?? '',
    secrets: { ...secrets, GITHUB_TOKEN: token },
    endpoint,
    actions: {},
    timeoutMs: 240_000,
    signal,
    environment: {
      GITEA_ACTIONS: 'true',
      GITHUB_API_URL: told.api_url ?? '',
      GITHUB_BASE_REF: told.base_ref ?? '',
      GITHUB_HEAD_REF: told.head_ref ?? '',
      GITHUB_REF: told.ref ?? '',
      GITHUB_REPOSITORY: told.repository ?? '',
      GITHUB_REPOSITORY_OWNER: told.repository_owner ?? '',
      GITHUB_RUN_ATTEMPT: told.run_attempt ?? '',
      GITHUB_RUN_ID: told.run_id ?? '',
      GITHUB_RUN_NUMBER: told.run_number ?? '',
      GITHUB_SERVER_URL: told.server_url ?? '',
      SHA_REF: told.sha ?? '',
    },
  })
}
