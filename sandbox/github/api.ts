import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError, acceptedPermissions, checkAccess, credentialsOf, notFound } from './access.ts'
import { asObject, type Json, loadDescription, type Match } from './description.ts'
import { concerns, type GitHubFaults, type RequestFacts, strikeAnswer, strikeMeanwhile } from './faults.ts'
import type { Repository } from './repository.ts'
import { actions } from './rest/actions.ts'
import type { Answer, Handlers } from './rest/call.ts'
import { deployments } from './rest/deployments.ts'
import { issues } from './rest/issues.ts'
import { pulls } from './rest/pulls.ts'
import { repos } from './rest/repos.ts'
import { authenticatedUser } from './rest/users.ts'
import type { Token } from './state/model.ts'
import { findRepository, type World } from './state/state.ts'
import { createValidator, type Validator } from './validation.ts'

/** A request or an answer which GitHub's own description does not allow. */
export interface Violation {
  readonly method: string
  readonly path: string
  readonly problem: string
}

export interface JournalEntry {
  readonly method: string
  /** With the query, without `/api/v3`. */
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

/** What a GITHUB_TOKEN may ask per hour. It is told, as GitHub tells it, but not enforced. */
const RATE_LIMIT = 1000

const HANDLERS: Handlers = { ...repos, ...pulls, ...issues, ...deployments, ...actions }

/** The REST API: every request is measured against GitHub's description, then answered, and so is every answer. */
export function createApi(
  world: World<Repository>,
  faults: GitHubFaults,
  journal: JournalEntry[],
  stopping: AbortSignal,
): Api {
  const violations: Violation[] = []
  let validator: Validator | undefined
  /** Requests so far, by token. */
  const used = new Map<string, number>()

  return {
    violations,
    async handle(request, response, url) {
      const method = request.method ?? 'GET'
      const path = url.pathname.replace(/^\/api\/v3/, '') || '/'
      const token = world.tokens.get(credentialsOf(request.headers.authorization) ?? '')
      let operation = 'none'
      let answer: Answer | 'reset'
      try {
        const description = await loadDescription()
        validator ??= createValidator(description)
        const match = description.find(method, path)
        if (!match) throw violated(violations, method, path, 'GitHub describes no such call')
        operation = match.operation.id
        const body = await readBody(request)
        answer = await answerTo(
          { match, method, path, url, body, token, authorization: request.headers.authorization },
          validator,
        )
      } catch (error) {
        answer = failure(error, violations, method, path)
      }
      const count = (used.get(token?.value ?? '') ?? 0) + 1
      used.set(token?.value ?? '', count)
      const status = answer === 'reset' ? 0 : answer.status
      journal.push({ method, path: path + url.search, status, operation, actor: token?.actor.login })
      if (answer === 'reset') request.socket.destroy()
      else send(response, answer, operation, count)
    },
  }

  async function answerTo(incoming: Incoming, validate: Validator): Promise<Answer | 'reset'> {
    const { match, method, path, token } = incoming
    const { operation, params } = match
    const query = Object.fromEntries(incoming.url.searchParams)
    const problems = validate.request(operation, { params, query, body: incoming.body })
    if (problems.length > 0) throw violated(violations, method, path, problems.join('; '))
    if (incoming.authorization !== undefined && !token) throw new ApiError(401, 'Bad credentials')
    const facts: RequestFacts = { operation: operation.id, method, path }
    const silence = faults.strike('github.silence', concerns(facts))
    if (silence) await pause(Number(silence.options.ms ?? 30_000), stopping)
    const reset = faults.strike('github.reset', concerns(facts))
    if (reset && reset.options.processed !== true) return 'reset'
    const struck = strikeAnswer(faults, facts)
    if (struck) throw struck
    const answer = await dispatch(incoming, validate, facts).catch(refusal)
    const body = answer.body === undefined ? undefined : plain(answer.body)
    const wrong = validate.response(operation, answer.status, body)
    if (wrong.length > 0) throw violated(violations, method, path, wrong.join('; '))
    return reset ? 'reset' : answer
  }

  async function dispatch(incoming: Incoming, validate: Validator, facts: RequestFacts): Promise<Answer> {
    const { operation, params } = incoming.match
    if (operation.id === 'users/get-authenticated') return authenticatedUser(world, incoming.token)
    const handler = HANDLERS[operation.id]
    if (!handler)
      throw violated(violations, incoming.method, incoming.path, `this stand-in does not know ${operation.id}`)
    const repository = findRepository(world, `${params.owner}/${params.repo}`)
    if (!repository) throw notFound()
    checkAccess(operation.id, incoming.token, repository, incoming.method)
    await strikeMeanwhile(faults, facts, repository)
    return handler({
      world,
      repository,
      token: incoming.token,
      params,
      query: validate.typed(operation, Object.fromEntries(incoming.url.searchParams)),
      body: asObject(incoming.body ?? {}),
      url: incoming.url,
    })
  }
}

interface Incoming {
  readonly match: Match
  readonly method: string
  readonly path: string
  readonly url: URL
  readonly body: Json | undefined
  readonly token: Token | undefined
  readonly authorization: string | undefined
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
  const { status, message, details, headers } = error
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

/** The value as the client will see it: dates as text, `undefined` left out. */
function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json
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

/** Sends an answer with the headers that GitHub puts on every one. */
function send(response: ServerResponse, answer: Answer, operation: string, used: number): void {
  const accepted = acceptedPermissions(operation)
  response.writeHead(answer.status, {
    ...(answer.body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    'x-github-media-type': 'github.v3; format=json',
    'x-github-request-id': `SAND:${used.toString(16).toUpperCase()}`,
    'x-ratelimit-limit': String(RATE_LIMIT),
    'x-ratelimit-remaining': String(Math.max(0, RATE_LIMIT - used)),
    'x-ratelimit-used': String(used),
    'x-ratelimit-reset': String(Math.ceil(Date.now() / 3_600_000) * 3600),
    'x-ratelimit-resource': 'core',
    ...(accepted === undefined ? {} : { 'x-accepted-github-permissions': accepted }),
    ...answer.headers,
  })
  response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
}
