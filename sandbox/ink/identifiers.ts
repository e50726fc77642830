import { randomBytes, randomInt } from 'node:crypto'

/** The alphabet of the platform's short identifiers: 57 characters that nobody misreads. */
const SHORT_ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** An identifier as the platform makes them for services, deployments and projects: 22 characters. */
export function shortId(): string {
  return Array.from({ length: 22 }, () => SHORT_ALPHABET[randomInt(SHORT_ALPHABET.length)]).join('')
}

/** The four random characters that the platform appends to the name of a repository. */
export function repositorySlugSuffix(): string {
  return Array.from({ length: 4 }, () => 'abcdefghijklmnopqrstuvwxyz0123456789'[randomInt(36)]).join('')
}

/** An API key as the platform makes them for tests: `dk_test_` and 64 hexadecimal digits. */
export function apiKey(): string {
  return `dk_test_${randomBytes(32).toString('hex')}`
}

/** A git token: `mlg_` and 32 random bytes in base64url (43 characters). */
export function gitToken(): string {
  return `mlg_${randomBytes(32).toString('base64url')}`
}

/** Makes a DNS label of a service's name, as the platform does: lower case, `_` to `-`, other characters dropped, 63 at most. */
export function dnsLabel(name: string): string {
  return name
    .toLowerCase()
    .replaceAll('_', '-')
    .replaceAll(/[^a-z0-9-]/g, '')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '')
}
