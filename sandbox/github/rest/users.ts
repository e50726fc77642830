import { ApiError, forbidden } from '../access.ts'
import { renderUser, timestamp } from '../render/repository.ts'
import type { Token, User } from '../state/model.ts'
import type { World } from '../state/state.ts'
import type { Answer } from './call.ts'

/** What is asked of no repository: who the token belongs to, and who somebody is. */
export interface AccountCall {
  readonly world: World
  readonly token: Token | undefined
  readonly params: Readonly<Record<string, string>>
}

/** By the operation's id in GitHub's description. */
export const accounts: Readonly<Record<string, (call: AccountCall) => Answer>> = {
  'users/get-authenticated': authenticatedUser,
  'users/get-by-username': ({ world, params }) => {
    const login = params.username ?? ''
    const user = world.knownUser(login)
    if (!user) throw new ApiError(404, 'Not Found')
    return { status: 200, body: renderAccount(world, user) }
  },
  'gitea/version': () => ({ status: 200, body: { version: '1.26.0' } }),
  // An app signs in as itself with a JSON web token, which no workflow has; its installations' tokens are something else.
  'apps/get-authenticated': () => {
    throw new ApiError(401, 'A JSON web token could not be decoded')
  },
}

/** `GET /user` is for people: an installation token has no user. */
function authenticatedUser({ world, token }: AccountCall): Answer {
  if (!token) throw new ApiError(401, 'Requires authentication')
  if (token.kind !== 'user' && world.profile === 'github') throw forbidden('users/get-authenticated', token)
  return { status: 200, body: renderAccount(world, token.actor) }
}

/** GitHub's `public-user`. */
function renderAccount(world: World, user: User) {
  const now = timestamp(world.now())
  const counts = { public_repos: 0, public_gists: 0, followers: 0, following: 0 }
  const facts = { name: null, company: null, blog: '', location: null, email: null, hireable: null, bio: null }
  return { ...renderUser(user, world), ...facts, ...counts, created_at: now, updated_at: now }
}
