import type { Match, Operation } from '../description.ts'
import { bodyObject, type Dialect } from '../dialect.ts'
import { shapeAnswer } from './answers.ts'

/** A list has this many entries by default and at most (`[api] DEFAULT_PAGING_NUM`, `MAX_RESPONSE_ITEMS`). */
const DEFAULT_PAGE_SIZE = 30
const LARGEST_PAGE_SIZE = 50

/**
 * Gitea's calls by the operation of GitHub that they come nearest to. What is not here does not exist there: deployment
 * records, `git/ref/…`, `issues/N/events`. Source: Gitea 1.26, `routers/api/v1/api.go`.
 */
const ROUTES: readonly (readonly [method: string, path: string, operation: string])[] = [
  ['GET', '/version', 'gitea/version'],
  ['GET', '/user', 'users/get-authenticated'],
  ['GET', '/users/{username}', 'users/get-by-username'],
  ['GET', '/repos/{owner}/{repo}', 'repos/get'],
  ['GET', '/repos/{owner}/{repo}/collaborators/{username}/permission', 'repos/get-collaborator-permission-level'],
  ['GET', '/repos/{owner}/{repo}/branches', 'repos/list-branches'],
  ['GET', '/repos/{owner}/{repo}/branches/{branch*}', 'repos/get-branch'],
  ['GET', '/repos/{owner}/{repo}/commits', 'repos/list-commits'],
  ['GET', '/repos/{owner}/{repo}/git/commits/{ref}', 'repos/get-commit'],
  ['GET', '/repos/{owner}/{repo}/compare/{basehead*}', 'repos/compare-commits-with-basehead'],
  ['GET', '/repos/{owner}/{repo}/contents/{path*}', 'repos/get-content'],
  ['GET', '/repos/{owner}/{repo}/pulls', 'pulls/list'],
  ['GET', '/repos/{owner}/{repo}/pulls/{pull_number}', 'pulls/get'],
  ['GET', '/repos/{owner}/{repo}/pulls/{pull_number}/files', 'pulls/list-files'],
  ['GET', '/repos/{owner}/{repo}/pulls/{pull_number}/commits', 'pulls/list-commits'],
  ['GET', '/repos/{owner}/{repo}/issues', 'issues/list-for-repo'],
  ['POST', '/repos/{owner}/{repo}/issues', 'issues/create'],
  ['GET', '/repos/{owner}/{repo}/issues/{issue_number}', 'issues/get'],
  ['PATCH', '/repos/{owner}/{repo}/issues/{issue_number}', 'issues/update'],
  ['GET', '/repos/{owner}/{repo}/issues/{issue_number}/comments', 'issues/list-comments'],
  ['POST', '/repos/{owner}/{repo}/issues/{issue_number}/comments', 'issues/create-comment'],
  ['GET', '/repos/{owner}/{repo}/issues/comments/{comment_id}', 'issues/get-comment'],
  ['PATCH', '/repos/{owner}/{repo}/issues/comments/{comment_id}', 'issues/update-comment'],
  ['DELETE', '/repos/{owner}/{repo}/issues/comments/{comment_id}', 'issues/delete-comment'],
  ['GET', '/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', 'reactions/list-for-issue-comment'],
  ['POST', '/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', 'reactions/create-for-issue-comment'],
  ['GET', '/repos/{owner}/{repo}/issues/{issue_number}/timeline', 'issues/list-events-for-timeline'],
  ['GET', '/repos/{owner}/{repo}/issues/{issue_number}/labels', 'issues/list-labels-on-issue'],
  ['POST', '/repos/{owner}/{repo}/issues/{issue_number}/labels', 'issues/add-labels'],
  ['GET', '/repos/{owner}/{repo}/labels', 'issues/list-labels-for-repo'],
  ['POST', '/repos/{owner}/{repo}/labels', 'issues/create-label'],
  ['GET', '/repos/{owner}/{repo}/actions/runs/{run_id}', 'actions/get-workflow-run'],
  ['GET', '/repos/{owner}/{repo}/actions/runs/{run_id}/jobs', 'actions/list-jobs-for-workflow-run'],
]

/** Lists that come whole, whatever `limit` and `page` say. */
const UNPAGED = ['issues/list-comments', 'reactions/list-for-issue-comment', 'issues/list-labels-on-issue']

/** Gitea's way: it ignores what it does not know, counts lists in a header, and leaves out much that GitHub tells. */
export async function giteaDialect(serverUrl: string): Promise<Dialect> {
  const routes = ROUTES.map(([method, path, id]) => ({ method, pattern: patternOf(path), operation: operationOf(id) }))
  return {
    strict: false,
    find(method, path): Match | undefined {
      for (const route of routes) {
        const found = route.method === method ? route.pattern.exec(path) : null
        if (!found) continue
        const params = Object.fromEntries(
          Object.entries(found.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
        )
        return { operation: route.operation, params }
      }
      return undefined
    },
    requestProblems({ operation }, { body }) {
      const { labels = [] } = bodyObject(body)
      const named =
        operation.id === 'issues/create' && Array.isArray(labels) && labels.some((label) => typeof label !== 'number')
      return named ? ['labels are given by their numbers here'] : []
    },
    answerProblems: () => [],
    query: (_match, { limit, page, per_page: _ignored, ...query }) => ({
      ...query,
      ...(limit ? { limit } : {}),
      ...(page ? { page } : {}),
    }),
    paging({ operation }, { limit, page }) {
      if (UNPAGED.includes(operation.id)) return { size: Number.MAX_SAFE_INTEGER, page: 1 }
      const size = Math.min(LARGEST_PAGE_SIZE, Number(limit ?? DEFAULT_PAGE_SIZE) || DEFAULT_PAGE_SIZE)
      return { size, page: Math.max(1, Number(page ?? 1) || 1) }
    },
    shape: (operation, answer) => shapeAnswer(operation, answer, serverUrl),
    headers: (_operation, answer) => (answer.list ? { 'x-total-count': String(answer.list.total) } : {}),
  }
}

function patternOf(path: string): RegExp {
  const source = path.replaceAll(
    /\{(\w+)(\*?)\}/g,
    (_, name: string, rest: string) => `(?<${name}>${rest ? '.+' : '[^/]+'})`,
  )
  return new RegExp(`^${source}$`)
}

function operationOf(id: string): Operation {
  const documentationUrl = 'https://docs.gitea.com/api'
  return {
    id,
    documentationUrl,
    pathParameters: [],
    queryParameters: [],
    requestBody: undefined,
    responses: new Map(),
  }
}
