import { parse } from 'yaml'

/** A file of the repository. `path` is relative to its top. */
export interface WorkflowText {
  readonly path: string
  readonly text: string
}

/** When an event starts a workflow. Undefined is no filter. */
interface Trigger {
  readonly types: readonly string[] | undefined
  readonly branches: readonly string[] | undefined
  readonly branchesIgnore: readonly string[] | undefined
  readonly tags: readonly string[] | undefined
}

/** What a job's token may do by subject; `all` where one word says it. Undefined where the repository's settings decide. */
export type Grants = Readonly<Record<string, string>> | 'read-all' | 'write-all' | undefined

interface Concurrency {
  readonly group: string
  /** `true`, `false` or an expression. */
  readonly cancels: string
}

export interface Job {
  /** Of the reusable workflow that it calls. */
  readonly uses: string | undefined
  readonly grants: Grants
  readonly concurrency: Concurrency | undefined
  readonly steps: readonly Step[]
}

interface Step {
  readonly uses: string
  readonly with: Readonly<Record<string, string>>
}

/** A workflow as far as it decides what becomes of deployments. Expressions are left as they are written. */
export interface Workflow {
  readonly path: string
  readonly name: string | undefined
  readonly triggers: ReadonlyMap<string, Trigger>
  readonly grants: Grants
  readonly concurrency: Concurrency | undefined
  readonly jobs: ReadonlyMap<string, Job>
}

/** Reads a workflow file; undefined for what is none. Source: docs.github.com, "Workflow syntax for GitHub Actions". */
export function parseWorkflow({ path, text }: WorkflowText): Workflow | undefined {
  const whole = fieldsOf(parsed(text))
  const triggers = triggersOf(whole.on)
  if (triggers.size === 0) return undefined
  return {
    path,
    name: textOf(whole.name),
    triggers,
    grants: grantsOf(whole.permissions),
    concurrency: concurrencyOf(whole.concurrency),
    jobs: new Map(Object.entries(fieldsOf(whole.jobs)).map(([id, job]) => [id, jobOf(fieldsOf(job))])),
  }
}

function parsed(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 })
  } catch {
    return undefined
  }
}

/** The activities that start a workflow for pull requests where it names none. */
const USUAL_TYPES = ['opened', 'synchronize', 'reopened']

function triggersOf(on: unknown): ReadonlyMap<string, Trigger> {
  const named = typeof on === 'string' ? [on] : Array.isArray(on) ? on.filter((one) => typeof one === 'string') : []
  const given = named.length > 0 ? named.map((name) => [name, {}] as const) : Object.entries(fieldsOf(on))
  return new Map(
    given.map(([name, value]) => {
      const fields = fieldsOf(value)
      return [
        name,
        {
          types: textsOf(fields.types) ?? (/^pull_request(_target)?$/.test(name) ? USUAL_TYPES : undefined),
          branches: textsOf(fields.branches),
          branchesIgnore: textsOf(fields['branches-ignore']),
          tags: textsOf(fields.tags) ?? textsOf(fields['tags-ignore']),
        },
      ]
    }),
  )
}

function jobOf(job: Fields): Job {
  const steps = Array.isArray(job.steps) ? job.steps.map(fieldsOf) : []
  return {
    uses: textOf(job.uses),
    grants: grantsOf(job.permissions),
    concurrency: concurrencyOf(job.concurrency),
    steps: steps.map((step) => ({
      uses: textOf(step.uses) ?? '',
      with: Object.fromEntries(
        Object.entries(fieldsOf(step.with)).map(([name, value]) => [name.toLowerCase(), textOf(value) ?? '']),
      ),
    })),
  }
}

function grantsOf(value: unknown): Grants {
  if (value === 'read-all' || value === 'write-all') return value
  if (value === undefined || typeof value === 'string') return undefined
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([subject, level]) => [subject, textOf(level) ?? '']))
}

function concurrencyOf(value: unknown): Concurrency | undefined {
  const fields = typeof value === 'string' ? { group: value } : fieldsOf(value)
  const group = textOf(fields.group)
  return group === undefined ? undefined : { group, cancels: textOf(fields['cancel-in-progress']) ?? 'false' }
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

function textsOf(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  return (Array.isArray(value) ? value : [value]).flatMap((one) => textOf(one) ?? [])
}
