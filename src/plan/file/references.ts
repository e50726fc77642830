import { didYouMean, shown } from '../../core/format.ts'
import { Secret } from '../../core/secret.ts'
import type { Variables } from '../variables.ts'

/** What a reference in a value stands for. */
export type Reference =
  | { readonly kind: 'secret'; readonly name: string }
  | { readonly kind: 'service'; readonly service: string; readonly output: ServiceOutput }
  | { readonly kind: (typeof runWords)[number] }

/** What the run itself says. */
const runWords = ['pull_request.number', 'commit.sha', 'environment'] as const
const serviceOutputs = ['url', 'host', 'database.url', 'database.token'] as const
export type ServiceOutput = (typeof serviceOutputs)[number]

/** A value with references in it: text and references in their order. */
export type Template = readonly (string | Reference)[]

export interface FileVariable {
  readonly template: Template
  /** File, line, column and key, for messages. */
  readonly label: string
}

export type FileVariables = ReadonlyMap<string, FileVariable>

/** The variables of one service in `ink.yml`: everywhere, and what is laid over them in previews and in production. */
export type ServiceVariables = Readonly<Record<'shared' | 'preview' | 'production', FileVariables>>

export interface FileService {
  readonly name: string
  /** File, line and column of its name. */
  readonly label: string
  /** False where pull requests have none of it, and use that of production. */
  readonly hasPreviews: boolean
  readonly variables: ServiceVariables
}

/** An environment that the file names: what a branch deploys, beside production and previews. */
export interface NamedEnvironment {
  readonly name: string
  readonly branch: string
  /** File, line, column and key, for messages. */
  readonly label: string
  /** Laid over those of every service. */
  readonly variables: ServiceVariables
}

/** What a service without a file has. */
export const noVariables: ServiceVariables = { shared: new Map(), preview: new Map(), production: new Map() }

const forms =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: these are what stands in the file
  '${secrets.NAME}, ${services.NAME.url}, .host, .database.url or .database.token, ${pull_request.number}, ${commit.sha} or ${environment}; $$ is a dollar'

/** Reads the references of a value. Whatever does not begin with `${` or `$$` stands as it is. */
export function parseTemplate(
  text: string,
  services: readonly string[],
): { readonly template: Template; readonly problems: readonly string[] } {
  const template: (string | Reference)[] = []
  const problems: string[] = []
  let end = 0
  for (const found of text.matchAll(/\$\$|\$\{([^}\n]*)(\}?)/g)) {
    template.push(text.slice(end, found.index))
    end = found.index + found[0].length
    const [whole, inside = '', close] = found
    const reference = whole === '$$' ? '$' : readReference(inside.trim(), services)
    if (whole !== '$$' && close === '') problems.push(`${shown(whole)} lacks its closing brace`)
    else if (typeof reference === 'object' && 'problem' in reference) problems.push(reference.problem)
    else template.push(reference)
  }
  template.push(text.slice(end))
  return { template: template.filter((part) => part !== ''), problems }
}

function readReference(inside: string, services: readonly string[]): Reference | { readonly problem: string } {
  const kind = runWords.find((word) => word === inside)
  if (kind !== undefined) return { kind }
  const [, name] = /^secrets\.([A-Za-z_]\w*)$/.exec(inside) ?? []
  if (name !== undefined) return { kind: 'secret', name }
  const [, service, written = ''] = /^services\.([^.]+)\.(.+)$/.exec(inside) ?? []
  if (service === undefined) return { problem: `${shown(`\${${inside}}`)} is no reference; there are ${forms}` }
  if (!services.includes(service))
    return { problem: `there is no service ${shown(service)}${didYouMean(service, services)}` }
  const output = serviceOutputs.find((one) => one === written)
  if (output !== undefined) return { kind: 'service', service, output }
  const near = didYouMean(written, serviceOutputs)
  return { problem: `a service has ${serviceOutputs.join(', ')}, but no ${shown(written)}${near}` }
}

export function referencesOf(template: Template): Reference[] {
  return template.filter((part) => typeof part !== 'string')
}

/** What the file says itself may be a secret that somebody wrote down; what it refers to is masked where it comes from. */
export function plainVariables({ shared, preview, production }: ServiceVariables): Record<string, string> {
  const all = [...shared, ...preview, ...production].flatMap(([name, { template }]) => {
    const [text = '', ...more] = template
    return typeof text === 'string' && more.length === 0 ? [[name, text] as const] : []
  })
  return Object.fromEntries(all)
}

/** What is wrong at one place of the file. Lines and columns start at 1. */
export interface FileProblem {
  readonly line: number
  readonly column: number
  readonly text: string
}

/** A problem as a line of a message: `ink.yml:3:5: text`. */
export function describeProblem({ line, column, text }: FileProblem, path: string): string {
  return `${path}:${line}:${column}: ${text}`
}

/** The place that a message of {@link describeProblem}, or of a setting from the file, begins with. */
export function placeOfProblem(message: string, path: string): FileProblem | undefined {
  if (!message.startsWith(`${path}:`)) return undefined
  const [, line, column, text] = /^(\d+):(\d+): ([\s\S]*)$/.exec(message.slice(path.length + 1)) ?? []
  return text === undefined ? undefined : { line: Number(line), column: Number(column), text }
}

/** A reference to another service, and the place in the file where it stands. */
export type Wire = Extract<Reference, { kind: 'service' }> & { readonly label: string }

/** What a service's variables take from others in one environment. */
export function wiresOf(variables: ServiceVariables, environment: 'preview' | 'production'): Wire[] {
  const wanted: readonly FileVariable[] = [...new Map([...variables.shared, ...variables[environment]]).values()]
  return wanted.flatMap(({ template, label }) =>
    referencesOf(template).flatMap((reference) => (reference.kind === 'service' ? [{ ...reference, label }] : [])),
  )
}

interface Wired {
  readonly name: string
  readonly wires: readonly Wire[]
}

/** Services in the order in which they can come up: each behind those that it takes something from. There is no circle. */
export function inOrder<T extends Wired>(services: readonly T[]): readonly T[] {
  return visitAll(services).order
}

/** What is wrong with what the services of a file take from each other. */
export function wiringProblems(services: readonly FileService[], path: string): FileProblem[] {
  const withoutPreviews = services.filter(({ hasPreviews }) => !hasPreviews).map(({ name }) => name)
  const wires = services.flatMap(({ hasPreviews, variables }) => (hasPreviews ? wiresOf(variables, 'preview') : []))
  const problems = wires.flatMap(({ service, output, label }) => {
    const place = placeOfProblem(label, path)
    if (!place || !output.startsWith('database.') || !withoutPreviews.includes(service)) return []
    const why = 'and a preview must not use production’s database; its url and host are there for all'
    return [{ ...place, text: `${place.text}: ${service} has no previews (preview: false), ${why}` }]
  })
  const wired = services.map(({ name, label, variables: of }) => {
    return { name, label, wires: [...wiresOf(of, 'preview'), ...wiresOf(of, 'production')] }
  })
  const { circle = [] } = visitAll(wired)
  const place = placeOfProblem(circle[0]?.label ?? '', path)
  const names = circle.map(({ name }) => name).join(' → ')
  if (place) problems.push({ ...place, text: `services wait for each other in a circle: ${names}` })
  return problems
}

/** Services, each behind those that it needs; and the first circle of them, beginning and ending with the same. */
function visitAll<T extends Wired>(services: readonly T[]) {
  const byName = new Map(services.map((service) => [service.name, service]))
  const order = new Set<T>()
  const visit = (service: T, path: readonly T[]): readonly T[] | undefined => {
    if (path.includes(service)) return [...path.slice(path.indexOf(service)), service]
    if (order.has(service)) return undefined
    for (const wire of service.wires) {
      const needed = byName.get(wire.service)
      const circle = needed && visit(needed, [...path, service])
      if (circle) return circle
    }
    order.add(service)
    return undefined
  }
  let circle: readonly T[] | undefined
  for (const service of services) circle ??= visit(service, [])
  return { order: [...order], circle }
}

/** What the references of a service's variables stand for in one run. */
export interface VariablesOf {
  readonly environment: 'preview' | 'production'
  /** The environment that the file names, where it is one. */
  readonly named?: string | undefined
  readonly pullRequest: number | undefined
  readonly sha: string
  /** A fork's code, which gets the variables of `preview-env` and no others of the workflow. */
  readonly untrusted: boolean
}

/** Where the variables of a service come from, as the settings have them under `environment`. */
type GivenVariables = Readonly<Record<'shared' | 'preview' | 'production', Variables>> & {
  readonly file: ServiceVariables
  readonly named: ReadonlySet<string>
  readonly wired: ReadonlyMap<string, string>
}

/** The variables that the workflow and `ink.yml` give a service, without the marks; or what is missing, each with its place. */
export function fillVariables(
  { shared, preview, production, file, named, wired }: GivenVariables,
  of: VariablesOf,
): { readonly variables: Variables; readonly problems: readonly string[] } {
  const specific = of.environment === 'preview' ? preview : production
  const given: Variables = of.untrusted ? specific : new Map([...shared, ...specific])
  const textOf = (part: string | Reference): string | undefined => {
    if (typeof part === 'string') return part
    switch (part.kind) {
      case 'secret':
        return given.get(part.name)?.reveal()
      case 'service':
        return wired.get(`${part.service}.${part.output}`)
      case 'pull_request.number':
        return of.pullRequest?.toString() ?? ''
      case 'commit.sha':
        return of.sha
      case 'environment':
        return of.named ?? of.environment
    }
  }
  const filled = new Map<string, Secret>()
  const problems: string[] = []
  for (const [name, { template, label }] of new Map([...file.shared, ...file[of.environment]])) {
    const parts = template.map(textOf)
    if (parts.every((part) => part !== undefined)) filled.set(name, new Secret(parts.join('')))
    // A stranger's code goes without what it must not have.
    else if (!of.untrusted)
      for (const secret of secretsIn(template).filter((one) => !given.has(one)))
        problems.push(`${label}: the workflow gives no ${secret}; put it into the input env, as ${secret}=…`)
  }
  return { variables: new Map([...filled, ...[...given].filter(([name]) => !named.has(name))]), problems }
}

function secretsIn(template: Template): string[] {
  return referencesOf(template).flatMap((reference) => (reference.kind === 'secret' ? [reference.name] : []))
}

/** The secrets that a service's variables name, whatever the environment. */
export function secretsNamed({ shared, preview, production }: ServiceVariables): string[] {
  return [shared, preview, production].flatMap((group) => [...group.values()].flatMap((one) => secretsIn(one.template)))
}
