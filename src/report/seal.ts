import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Secret } from '../core/secret.ts'

/**
 * Signs the hidden state of a comment. Under the name that a workflow's token writes with, other actions write as well, and
 * what they write may be a stranger's words: what was read back counts only with the signature of somebody who has the
 * API key.
 */
export type Seal = (state: string) => string

/**
 * The seal of one pull request's comment, so that the state of another one is not taken for its own; undefined for a run
 * that was given no API key.
 */
export function createSeal(
  key: Secret | undefined,
  { id, fullName }: { readonly id?: string | undefined; readonly fullName: string },
  pullRequest: number,
): Seal | undefined {
  if (key === undefined) return undefined
  const own = createHmac('sha256', key.reveal()).update('ink-deploy card').digest()
  return (state) =>
    createHmac('sha256', own)
      .update(`${id ?? fullName}#${pullRequest}\n${state}`)
      .digest('hex')
}

const SEALED = /<!-- ink-deploy:state [^\n]* -->\n<!-- ink-deploy:seal ([0-9a-f]{64}) -->/g

/** The hidden state with its seal below it. */
export function withSeal(state: string, seal: Seal | undefined): string {
  return seal === undefined ? state : `${state}\n<!-- ink-deploy:seal ${seal(state)} -->`
}

/** State and seal of a body, whether the seal is good or not; undefined where there is none. */
export function sealedPart(body: string): string | undefined {
  return [...body.replaceAll('\r\n', '\n').matchAll(SEALED)].at(-1)?.[0]
}

/** The hidden state of a body, if it is one that we wrote for this very comment. */
export function authenticState(body: string, seal: Seal): string | undefined {
  const [state = '', found = ''] = sealedPart(body)?.split('\n') ?? []
  const [, ours = ''] = withSeal(state, seal).split('\n')
  return ours.length === found.length && timingSafeEqual(Buffer.from(ours), Buffer.from(found)) ? state : undefined
}
