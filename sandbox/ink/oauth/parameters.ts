import { OAuthRefusal } from './refusal.ts'

/**
 * The parameters of a request. One without a value counts as left out, and none may come twice (RFC 6749, 3.1 and 3.2);
 * `resource` alone may (RFC 8707, 2).
 */
export interface Parameters {
  /** @throws OAuthRefusal `invalid_request` when the parameter came more than once */
  optional(name: string): string | undefined
  /** @throws OAuthRefusal `invalid_request` when the parameter is missing or came more than once */
  required(name: string): string
  all(name: string): readonly string[]
}

export function readParameters(search: URLSearchParams): Parameters {
  const all = (name: string) => search.getAll(name).filter((value) => value !== '')
  const optional = (name: string) => {
    const [value, ...others] = all(name)
    if (others.length > 0) throw new OAuthRefusal('invalid_request', `${name} came more than once`)
    return value
  }
  return {
    all,
    optional,
    required(name) {
      const value = optional(name)
      if (value === undefined) throw new OAuthRefusal('invalid_request', `${name} is missing`)
      return value
    },
  }
}
