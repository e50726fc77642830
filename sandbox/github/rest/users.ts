import { ApiError, forbidden } from '../access.ts'
import { renderUser, timestamp } from '../render/repository.ts'
import type { Token } from '../state/model.ts'
import type { World } from '../state/state.ts'
import type { Answer } from './call.ts'

/** `GET /user` is for people: an installation token has no user. */
export function authenticatedUser(world: World, token: Token | undefined): Answer {
  if (!token) throw new ApiError(401, 'Requires authentication')
  if (token.kind !== 'user') throw forbidden('users/get-authenticated')
  const now = timestamp(world.now())
  const counts = { public_repos: 0, public_gists: 0, followers: 0, following: 0 }
  const facts = { name: null, company: null, blog: '', location: null, email: null, hireable: null, bio: null }
  return {
    status: 200,
    body: { ...renderUser(token.actor, world), ...facts, ...counts, created_at: now, updated_at: now },
  }
}
