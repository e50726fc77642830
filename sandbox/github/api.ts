import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError, checkAccess, credentialsOf, notFound } from './access.ts'
import type { Json, Match } from './description.ts'
import { bodyObject, type Dialect, githubDialect } from './dialect.ts'
import {
  concerns,
  type GitHubFaults,
  type RequestFacts,
  secondaryLimit,
  strikeAnswer,
  strikeMeanwhile,
} from './faults.ts'
import { giteaDialect } from './gitea/dialect.ts'
import type { Repository } from './repository.ts'
import { actions } from './rest/actions.ts'
import type { Answer, Handlers } from './rest/call.ts'
import { deployments } from './rest/deployments.ts'
import { issues } from './rest/issues.ts'
import { pulls } from './rest/pulls.ts'
import { repos } from './rest/repos.ts'
import { accounts } from './rest/users.ts'
import type { Token } from './state/model.ts'
import { findMovedRepository, findRepository, findRepositoryById, type World } from './state/state.ts'

/** A request or an answer which GitHub's own description does not allow. */
export interface Violation {
  readonly method: string
  readonly path: string
  readonly problem: string
}

export interface JournalEntry {
  readonly method: string
  /** With the query, without `/api/v3` or `/api/v1`. */
  readonly path: string
  readonly status: number
  /** The operation's id in GitHub's description; `git` for git over HTTP. */
  readonly operation: string
  readonly actor: string | undefined
}

export interface Api {
  handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void>
  readonly violations: readonly Violation[]
}

const HANDLERS: Handlers = { ...repos, ...pulls, ...issues, ...deployments, ...actions }

interface Incoming {
  readonly match: Match
  readonly method: string
  /** Without `/api/v3` or `/api/v1`, and by name where it came by number. */
  readonly path: string
  readonly url: URL
  readonly body: Json | undefined
  readonly token: Token | undefined
  readonly authorization: string | undefined
}

/** The REST API: every request is measured against what the forge describes, then answered, and so is every answer. */
export function createApi(
  world: World<Repository>,
  faults: GitHubFaults,
  journal: JournalEntry[],
  stopping: AbortSignal,
): Api {
  const violations: Violation[] = []
  const writes = createWriteLimit(world)
  const root = new URL(world.apiUrl).pathname
  let speaking: Promise<Dialect> | undefined
  /** Requests so far, by token. */
  const used = new Map<string, number>()

  return {
    violations,
    async handle(request, response, url) {
      const method = request.method ?? 'GET'
      const path = url.pathname.startsWith(`${root}/`) ? byName(world, url.pathname.slice(root.length)) : url.pathname
      const token = world.tokens.get(credentialsOf(request.headers.authorization) ?? '')
      let operation = 'none'
      let answer: Answer | 'reset'
      speaking ??= world.profile === 'gitea' ? giteaDialect(world.serverUrl) : githubDialect()
      const dialect = await speaking
      try {
        const body = await readBody(request)
        const match = dialect.find(method, path)
        if (!match && dialect.strict) throw violated(violations, method, path, 'GitHub describes no such call')
        operation = match?.operation.id ?? operation
        const { authorization } = request.headers
        answer = match
          ? await answerTo(dialect, { match, method, path, url, body, token, authorization })
          : { status: 404, page: '404 page not found\n' }
      } catch (error) {
        answer = failure(error, violations, method, path)
      }
      const count = (used.get(token?.value ?? '') ?? 0) + 1
      used.set(token?.value ?? '', count)
      const status = answer === 'reset' ? 0 : answer.status
      const shown = url.pathname.slice(url.pathname.startsWith(root) ? root.length : 0) + url.search
      journal.push({ method, path: shown, status, operation, actor: token?.actor.login })
      if (answer === 'reset') request.socket.destroy()
      else send(response, dialect, dialect.shape(operation, answer), operation, count)
    },
  }

  async function answerTo(dialect: Dialect, incoming: Incoming): Promise<Answer | 'reset'> {
    const { match, method, path, token } = incoming
    const { operation } = match
    const query = Object.fromEntries(incoming.url.searchParams)
    const problems = dialect.requestProblems(match, { query, body: incoming.body })
    if (problems.length > 0) throw violated(violations, method, path, problems.join('; '))
    if (incoming.authorization !== undefined && !token) throw new ApiError(401, 'Bad credentials')
    const facts: RequestFacts = { operation: operation.id, method, path }
    const silence = faults.strike('github.silence', concerns(facts))
    if (silence) await pause(Number(silence.options.ms ?? 30_000), stopping)
    const reset = faults.strike('github.reset', concerns(facts))
    if (reset && reset.options.processed !== true) return 'reset'
    const struck = strikeAnswer(faults, facts)
    if (struck) throw struck
    const answer = await dispatch(dialect, incoming, facts).catch(refusal)
    // Redirects are in GitHub's documentation, and for few calls in its description.
    const wrong = answer.status === 301 || answer.status === 307 ? [] : dialect.answerProblems(match, answer)
    if (wrong.length > 0) throw violated(violations, method, path, wrong.join('; '))
    return reset ? 'reset' : answer
  }

  async function dispatch(dialect: Dialect, incoming: Incoming, facts: RequestFacts): Promise<Answer> {
    const { match, method, token, url } = incoming
    const { operation, params } = match
    const account = accounts[operation.id]
    if (account) return account({ world, token, params })
    const handler = HANDLERS[operation.id]
    if (!handler) throw violated(violations, method, incoming.path, `this stand-in does not know ${operation.id}`)
    const name = `${params.owner}/${params.repo}`
    const repository = findRepository(world, name)
    if (!repository) return moved(world, name, incoming)
    checkAccess(operation.id, token, repository, method)
    if (method !== 'GET') writes.admit(token)
    await strikeMeanwhile(faults, facts, repository)
    const query = dialect.query(match, Object.fromEntries(url.searchParams))
    const paging = dialect.paging(match, query)
    const body = bodyObject(incoming.body)
    return handler({ world, repository, token, params, query, paging, body, url, faults, facts })
  }
}

/** GitHub's limit on what creates content: so many a minute from one account (“Best practices for using the REST API”). */
function createWriteLimit(world: World<Repository>) {
  const recent = new Map<string, number[]>()
  return {
    admit(token: Token | undefined): void {
      const now = world.now().getTime()
      const account = token?.value ?? ''
      const times = (recent.get(account) ?? []).filter((time) => now - time < 60_000)
      if (times.length >= world.writesPerMinute) throw secondaryLimit(403, 60)
      recent.set(account, [...times, now])
    },
  }
}

/** `/repositories/7/pulls` as `/repos/owner/name/pulls`: where GitHub's redirects of renamed repositories lead. */
function byName(world: World<Repository>, path: string): string {
  const [, id, rest = ''] = /^\/repositories\/(\d+)(\/.*)?$/.exec(path) ?? []
  const repository = id === undefined ? undefined : findRepositoryById(world, Number(id))
  return repository ? `/repos/${repository.fullName}${rest}` : path
}

/** What has another name now is elsewhere, by its number; a request that writes has to be sent there as it is. */
function moved(world: World<Repository>, name: string, { path, method, url }: Incoming): Answer {
  const repository = findMovedRepository(world, name)
  if (!repository) throw notFound()
  const rest = path.split('/').slice(4).join('/')
  const location = `${world.apiUrl}/repositories/${repository.id}${rest === '' ? '' : `/${rest}`}${url.search}`
  const status = method === 'GET' ? 301 : 307
  const message = status === 301 ? 'Moved Permanently' : 'Temporary Redirect'
  const documentation_url = 'https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects'
  return { status, headers: { location }, body: { message, url: location, documentation_url } }
}

class ViolationError extends Error {
  override readonly name = 'ViolationError'
}

function violated(violations: Violation[], method: string, path: string, problem: string): ViolationError {
  violations.push({ method, path, problem })
  return new ViolationError(`${method} ${path}: ${problem}`)
}

/** A refusal as an answer; any other error stays one. */
function refusal(error: unknown): Answer {
  if (!(error instanceof ApiError)) throw error
  const { status, message, details, headers, page } = error
  if (page !== undefined) return { status, page, headers }
  const documentation_url = 'https://docs.github.com/rest'
  return { status, body: { message, ...details, documentation_url, status: String(status) }, headers }
}

function failure(error: unknown, violations: Violation[], method: string, path: string): Answer {
  if (error instanceof ApiError) return refusal(error)
  // Anything else is the stand-in's own failure: as loud as a violation, so that no test passes on it.
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof ViolationError)) violations.push({ method, path, problem: `the stand-in failed: ${message}` })
  return { status: 500, body: { message: `Sandbox: ${message}` } }
}

async function pause(milliseconds: number, stopping: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal: stopping }).catch(() => {
    throw new ApiError(503, 'The sandbox is stopping.')
  })
}

/** The JSON body of a request, or `undefined` when there is none. */
async function readBody(request: IncomingMessage): Promise<Json | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const raw = Buffer.concat(chunks).toString('utf8')
  if (raw === '') return undefined
  try {
    return JSON.parse(raw) as Json
  } catch {
    throw new ApiError(400, 'Problems parsing JSON')
  }
}

function send(response: ServerResponse, dialect: Dialect, answer: Answer, operation: string, used: number): void {
  const type = answer.page === undefined ? 'application/json; charset=utf-8' : pageType(answer.page)
  const content = answer.page ?? (answer.body === undefined ? undefined : JSON.stringify(answer.body))
  response.writeHead(answer.status, {
    ...(content === undefined ? {} : { 'content-type': type }),
    ...dialect.headers(operation, answer, used),
    ...answer.headers,
  })
  response.end(content)
}

function pageType(page: string): string {
  return page.startsWith('<') ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8'
}
