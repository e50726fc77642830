import type { IncomingMessage, ServerResponse } from 'node:http'
import { credentialsOf, grants } from './access.ts'
import type { JournalEntry } from './api.ts'
import type { GitHubFaults } from './faults.ts'
import type { Token } from './model.ts'
import type { Repository } from './repository.ts'
import { gitService, serveGit } from './smart-http.ts'
import { findRepository, type World } from './world.ts'

/** Serves git over HTTP with GitHub's rules: what is public may be read by all, everything else needs a token for it. */
export async function handleGit(
  world: World,
  faults: GitHubFaults,
  journal: JournalEntry[],
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<boolean> {
  const target = gitService(url)
  if (!target) return false
  const token = world.tokens.get(credentialsOf(request.headers.authorization) ?? '')
  response.on('close', () =>
    journal.push({
      method: request.method ?? 'GET',
      path: url.pathname + url.search,
      status: response.headersSent ? response.statusCode : 0,
      operation: 'git',
      actor: token?.actor.login,
    }),
  )
  const meant = (options: { readonly [detail: string]: unknown }) =>
    options.service === undefined || options.service === target.service
  if (faults.strike('github.git-reset', meant)) {
    request.socket.destroy()
    return true
  }
  const fault = faults.strike('github.git', meant)
  if (fault) {
    refuse(request, response, Number(fault.options.status ?? 500), 'Internal Server Error')
    return true
  }
  const repository = findRepository(world, target.repositoryPath)
  const refusal = refusalFor(repository, target.service, token, request.headers.authorization !== undefined)
  if (!repository || refusal) {
    refuse(request, response, refusal?.status ?? 404, refusal?.message ?? 'Repository not found.')
    return true
  }
  const pushing = target.service === 'write' && request.method === 'POST'
  await serveGit(request, response, {
    gitDir: repository.gitDir,
    url,
    user: token?.actor.login ?? '',
    settle: async () => {
      if (pushing) await repository.afterPush()
    },
  })
  return true
}

function refusalFor(
  repository: Repository | undefined,
  service: 'read' | 'write',
  token: Token | undefined,
  authenticated: boolean,
): { readonly status: number; readonly message: string } | undefined {
  if (authenticated && !token) return { status: 401, message: 'Invalid username or token.' }
  if (!repository) return authenticated ? { status: 404, message: 'Repository not found.' } : challenge()
  const mine = token !== undefined && (token.kind === 'user' || token.repository === repository.fullName)
  const readable = !repository.private || (mine && grants(token.permissions, 'contents=read'))
  if (!readable) return token ? { status: 404, message: 'Repository not found.' } : challenge()
  if (service === 'read') return undefined
  if (!token) return challenge()
  if (mine && grants(token.permissions, 'contents=write')) return undefined
  return { status: 403, message: `Permission to ${repository.fullName}.git denied to ${token.actor.login}.` }
}

function challenge() {
  return { status: 401, message: 'No anonymous write access.' }
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, message: string): void {
  request.resume()
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="GitHub"' } : {}),
  })
  response.end(`${message}\n`)
}
