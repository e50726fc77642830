import type { Token, User } from './model.ts'
import type { Addresses } from './render-user.ts'
import type { Repository } from './repository.ts'

/** Everything that exists on this GitHub, and what hands out its numbers. */
export interface World extends Addresses {
  /** Where the bare repositories lie. */
  readonly directory: string
  readonly repositories: Map<string, Repository>
  readonly tokens: Map<string, Token>
  nextId(): number
  now(): Date
  /** Does one thing after the other: two changes of references at once would overwrite each other. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
  /** The user of that login, made at first mention; `…[bot]` is a bot. */
  user(login: string): User
}

/** Looks a repository up by `owner/name`; as on GitHub, case does not matter. */
export function findRepository(world: World, fullName: string): Repository | undefined {
  return world.repositories.get(fullName.toLowerCase())
}
