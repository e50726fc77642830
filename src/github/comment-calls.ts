import { z } from 'zod'
import type { Api } from './api.ts'
import { authorSchema } from './authorship.ts'

/** The calls that comments need, with the fields that are relied on. */

const commentSchema = z.object({
  id: z.number(),
  html_url: z.string(),
  body: z.string().nullish(),
  user: authorSchema.nullable(),
})

export type Comment = z.infer<typeof commentSchema>

const ROUTE = '/repos/{owner}/{repo}/issues'

/** Binds the calls to a repository. */
export function commentCalls(api: Api) {
  const reads = { permission: 'pull-requests', access: 'read', purpose: 'read the comments of pull requests' } as const
  const writes = { permission: 'pull-requests', access: 'write', purpose: 'write comments on pull requests' } as const
  return {
    list: (issue_number: number, enough: (page: readonly Comment[]) => Promise<boolean>) =>
      api.pages(
        {
          ...reads,
          route: `GET ${ROUTE}/{issue_number}/comments`,
          params: { issue_number },
          schema: z.array(commentSchema),
        },
        enough,
      ),
    read: (comment_id: number) =>
      api.call({
        ...reads,
        route: `GET ${ROUTE}/comments/{comment_id}`,
        params: { comment_id },
        schema: commentSchema,
      }),
    create: (issue_number: number, body: string) =>
      api.call({
        ...writes,
        route: `POST ${ROUTE}/{issue_number}/comments`,
        params: { issue_number, body },
        schema: commentSchema,
      }),
    update: (comment_id: number, body: string) =>
      api.call({
        ...writes,
        route: `PATCH ${ROUTE}/comments/{comment_id}`,
        params: { comment_id, body },
        schema: commentSchema,
        repeatable: true,
      }),
    remove: (comment_id: number) =>
      api.call({
        ...writes,
        route: `DELETE ${ROUTE}/comments/{comment_id}`,
        params: { comment_id },
        schema: z.unknown(),
        repeatable: true,
      }),
  }
}
