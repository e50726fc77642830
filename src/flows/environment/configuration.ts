import { didYouMean, shortSha } from '../../core/format.ts'
import type { Facts } from '../../plan/context.ts'
import type { InkFile } from '../../plan/file/ink-file.ts'
import {
  databaseProblems,
  environmentProblems,
  type FileCommit,
  fileCommitOf,
  inEnvironment,
  type PlacedService,
  placedIn,
  placeServices,
  refusedProblems,
  settingsIn,
} from '../../plan/file/placement.ts'
import {
  describeProblem,
  type FileService,
  plainVariables,
  secretsNamed,
  type Wire,
  wiresOf,
} from '../../plan/file/references.ts'
import { productionBranch, type RefusedPlan, refusal } from '../../plan/intent.ts'
import { serviceName } from '../../plan/names.ts'
import { type Plan, variablesOf } from '../../plan/plan.ts'
import { settingTable } from '../../plan/setting-table.ts'
import type { SettingName, Settings } from '../../plan/settings.ts'
import { lookUp } from '../facts.ts'
import type { Deps } from '../run.ts'

/** The settings of a run, those of `ink.yml` among them. */
export interface Configuration {
  readonly settings: Settings
  /** What had to be looked up on the way. */
  readonly facts: Facts
  /** The services of a file that has several; empty otherwise, when `settings` are those of the one there is. */
  readonly services: readonly ConfiguredService[]
  /** The services of the file, however many there are, and what they are called; undefined without a file. */
  readonly placed?: readonly PlacedService[] | undefined
  /** Undefined where there is none, or none counts. */
  readonly file?: InkFile | undefined
  /** Why the file, or the workflow together with it, cannot be used. */
  readonly problem?: RefusedPlan | undefined
  /** The problem counts although the event means nothing as it is: the branch may have an environment of its own. */
  readonly concernsBranch?: boolean
}

export interface ConfiguredService {
  readonly name: string
  readonly settings: Settings
  /** What its variables take from others. */
  readonly wires: readonly Wire[]
  /**
   * Why it is not touched in this run, and only asked for what others take from it: the input `service` names another, or
   * it has no previews, and those of the others use production's.
   */
  readonly idle: 'confined' | 'no-previews' | undefined
}

/** What is known of a run that reads no file. */
export function unread(settings: Settings): Configuration {
  return { settings, services: [], facts: {} }
}

/** Reads `ink.yml` as it is in the commit that the run is about, and lays the workflow's settings over it. */
export async function readConfiguration(deps: Deps): Promise<Configuration> {
  const { settings } = deps
  const asked = fileCommitOf(deps, {})
  const facts = asked && 'need' in asked ? await lookUp(deps, asked.need, deps.signal) : {}
  const commit = asked && 'need' in asked ? fileCommitOf(deps, facts) : asked
  const nothing = { ...unread(settings), facts }
  if (commit === undefined || 'need' in commit) return nothing
  const path = settings.config
  const text = await readFileAt(commit, path, deps)
  const isBranch = commit.branch !== undefined && !commit.elseProduction
  if (text === 'unreadable') return { ...nothing, problem: unreadable(path, commit), concernsBranch: isBranch }
  if (text === 'absent' && path !== settingTable.config.fallback && !isBranch)
    return { ...nothing, problem: absent(path, commit) }
  const parsed = text === 'absent' ? undefined : (await import('../../plan/file/ink-file.ts')).parseInkFile(text, path)
  if (parsed && !parsed.ok) {
    const problem = refusedProblems(
      parsed.problems.map((one) => describeProblem(one, path)),
      path,
    )
    return { ...nothing, problem, concernsBranch: isBranch && /^["']?environments\b/m.test(text) }
  }
  if (isBranch && !parsed?.file.environments.some(({ branch }) => branch === commit.branch)) return nothing
  return { facts, file: parsed?.file, ...settingsWith(deps, parsed?.file, commit) }
}

/** From the checkout where it holds the commit, else from GitHub. */
async function readFileAt(commit: FileCommit, path: string, deps: Deps): Promise<string | 'absent' | 'unreadable'> {
  const fromGitHub = async (sha: string) => (await deps.github.files.read(path, sha)) ?? 'unreadable'
  if (commit.untrusted) return fromGitHub(commit.wanted.sha)
  await using source = deps.openSource()
  const found = await source.readCommitted(commit, path, deps.signal)
  if (found.file !== 'unknown') return textOf(found.file)
  const read = await fromGitHub(found.commit)
  // GitHub answers 404 to a token that may not read, too.
  if ((read === 'unreadable' || read === 'absent') && found.inCheckout !== 'unknown') {
    if (read === 'unreadable' || found.inCheckout !== 'absent')
      deps.log.info(`${path} is taken from the checkout; the server did not hand out that of ${shortSha(found.commit)}`)
    return textOf(found.inCheckout)
  }
  return read
}

function textOf(file: Buffer | 'absent'): string {
  return file === 'absent' ? file : file.toString('utf8')
}

function settingsWith(
  deps: Deps,
  file: InkFile | undefined,
  { environment, branch }: FileCommit,
): Omit<Configuration, 'facts' | 'file'> {
  const environments = file?.environments ?? []
  const inFile = [...(file?.services ?? []), ...environments].map(({ variables }) => variables)
  for (const variables of inFile) deps.maskVariables(plainVariables(variables))
  const own = branch === undefined ? undefined : environments.find((one) => one.branch === branch)
  const all = (file?.services ?? []).map((service) => (own ? inEnvironment(service, own) : service))
  const [only, ...others] = all
  const several = others.length > 0
  const shared = deps.settingsWith(file && sourcesOf(file, several ? undefined : only, environment))
  const named = new Set(inFile.flatMap(secretsNamed))
  const naming = (of: Settings): Settings => settingsIn(own, { ...of, environment: { ...of.environment, named } })
  const settings = naming(shared.ok ? shared.settings : deps.settings)
  const bare = { settings, services: [] }
  if (!shared.ok) return { ...bare, problem: refusedProblems(shared.problems, file?.path) }
  if (!file || !only) return bare
  const { context } = deps
  const written = (key: string) => file.written('service', key, environment)
  const single = { key: only.name, label: only.label, name: serviceName(settings.service, context.repository) }
  const { placed, problems } = several
    ? placeServices(all, context.repository, written)
    : { placed: [single], problems: [] }
  const found = [...problems, ...environmentProblems(environments, placed, productionBranch({ context, settings }))]
  const services = (several ? all : []).map((service): ConfiguredService => {
    const parsed = deps.settingsWith(sourcesOf(file, service, environment))
    if (!parsed.ok) found.push(...parsed.problems)
    const its = parsed.ok ? naming(parsed.settings) : settings
    const name = placed.find(({ key }) => key === service.name)?.name
    const confined = settings.service !== undefined && settings.service !== service.name
    return {
      name: service.name,
      settings: { ...its, service: name, serviceKey: service.name },
      wires: wiresOf(service.variables, environment),
      idle: environment === 'preview' && !service.hasPreviews ? 'no-previews' : confined ? 'confined' : undefined,
    }
  })
  if (several) found.push(...databaseProblems(services), ...unknownService(settings.service, services))
  if (found.length > 0) return { ...bare, problem: refusedProblems(found, file.path) }
  const whole = several ? { ...settings, service: undefined } : { ...settings, hasPreviews: only.hasPreviews }
  return { settings: whole, services: withAllPaths(services), placed: placedIn(own, placed) }
}

function sourcesOf(file: InkFile, service: FileService | undefined, environment: 'preview' | 'production') {
  return {
    written: (name: SettingName) => file.written(name, service?.name, environment),
    ...(service ? { variables: service.variables } : {}),
  }
}

/** With several services in the file, `service` confines a run to one of them. */
function unknownService(wanted: string | undefined, services: readonly ConfiguredService[]): string[] {
  const names = services.map(({ name }) => name)
  if (wanted === undefined || names.includes(wanted)) return []
  const advice = `; what a service is called stands in the file, as services.NAME.name: ${wanted}`
  const which = `must be one of the file’s services (${names.join(', ')}), but is ${JSON.stringify(wanted)}`
  return [`service: ${which}${didYouMean(wanted, names) || advice}`]
}

/** What counts as a change to any of them brings all that are not there yet. */
function withAllPaths(services: readonly ConfiguredService[]): ConfiguredService[] {
  const pathsOfAll = services.flatMap(({ idle, settings }) => (idle === 'no-previews' ? [] : [settings.paths]))
  return services.map((service) => ({ ...service, settings: { ...service.settings, pathsOfAll } }))
}

function unreadable(path: string, { wanted }: FileCommit): RefusedPlan {
  const problem = `config: whether commit ${shortSha(wanted.sha)} has a file ${path} could not be read`
  const hint =
    'Give the job the permission: permissions: contents: read. If its server had an outage, run the job again.'
  return refusal(problem, hint)
}

function absent(path: string, { wanted }: FileCommit): RefusedPlan {
  const problem = `config: there is no file ${JSON.stringify(path)} in commit ${shortSha(wanted.sha)}`
  const hint = 'Check the path, which is relative to the root of the repository, and whether the file is committed.'
  return refusal(problem, hint)
}

/** What a run comes to whose file cannot be used. What takes things down, and answers, does not depend on it. */
export function withProblem(
  plan: Plan,
  { problem, concernsBranch = false }: Pick<Configuration, 'problem' | 'concernsBranch'>,
): Plan {
  if (problem === undefined) return plan
  switch (plan.kind) {
    case 'none':
      return concernsBranch ? problem : plan
    case 'preview':
    case 'production':
    case 'rollback':
    case 'monitor':
      return { ...problem, askedBy: 'askedBy' in plan ? plan.askedBy : undefined }
    case 'sweep':
      return { ...plan, followedBy: undefined }
    case 'check': {
      const would = withProblem(plan.would, { problem, concernsBranch })
      return would.kind === 'check' ? would : { ...plan, would }
    }
    default:
      return plan
  }
}

/** The secrets of all services that the workflow does not give, before the first service is touched. */
export function missingSecrets(plan: Plan, services: readonly ConfiguredService[]): RefusedPlan | undefined {
  if (plan.kind !== 'preview' && plan.kind !== 'production') return undefined
  const of = {
    environment: plan.kind,
    named: plan.place.environment,
    pullRequest: plan.kind === 'preview' ? plan.pullRequest.number : undefined,
    sha: plan.wanted.sha,
    untrusted: plan.kind === 'preview' && plan.untrusted,
  } as const
  const refused = services.flatMap(({ settings, wires, idle }) => {
    const wired = new Map(wires.map(({ service, output }) => [`${service}.${output}`, output]))
    const found = idle ? undefined : variablesOf({ ...settings, environment: { ...settings.environment, wired } }, of)
    return found && 'kind' in found ? [found] : []
  })
  const [first] = refused
  if (!first) return undefined
  const [title = ''] = first.problem.split('\n')
  const lines = refused.flatMap(({ problem }) => problem.split('\n').slice(1))
  return { ...first, problem: [title, ...lines].join('\n'), places: refused.flatMap(({ places = [] }) => places) }
}
