import type { DeploymentState } from '../github/github.ts'
import { type Html, html } from './html.ts'

/** The small pieces that all pages are made of. */

export type Mood = 'good' | 'bad' | 'busy' | 'idle' | 'warned'

const SIGNS: Readonly<Record<Mood, string>> = { good: '✓', bad: '✕', busy: '●', idle: '⊘', warned: '!' }

export function sign(mood: Mood, label: string): Html {
  return html`<span class="sign ${mood}" role="img" aria-label="${label}">${SIGNS[mood]}</span>`
}

/** How an issue or a pull request stands; a merged one is purple, as on GitHub. */
export function stateBadge({ state, merged }: { readonly state: 'open' | 'closed'; readonly merged?: boolean }): Html {
  const word = merged === true ? 'merged' : state
  return html`<span class="state ${word}">${word}</span>`
}

/** A moment, shown in UTC until the browser has made it relative. */
export function moment(date: Date): Html {
  const iso = date.toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

export function shortSha(sha: string): string {
  return sha.slice(0, 7)
}

export function commitLink(repository: string, sha: string): Html {
  return html`<a class="sha" href="/${repository}/commit/${sha}">${shortSha(sha)}</a>`
}

export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  const seconds = Math.round(milliseconds / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** A user's first letter in a colour of their own, in place of a picture. */
export function avatar(login: string): Html {
  const hue = [...login].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 12, 7)
  return html`<span class="avatar hue-${hue}" aria-hidden="true">${login.slice(0, 1).toUpperCase()}</span>`
}

/** A login as GitHub writes it: a bot without its brackets, but with a badge. */
export function author(login: string): Html {
  const name = login.replace(/\[bot\]$/, '')
  return html`<b class="author">${name}</b>${name !== login && html`<span class="badge">bot</span>`}`
}

export const DEPLOYMENT_WORDS: Readonly<Record<DeploymentState, { readonly mood: Mood; readonly words: string }>> = {
  success: { mood: 'good', words: 'Active' },
  failure: { mood: 'bad', words: 'Failed' },
  error: { mood: 'bad', words: 'Error' },
  inactive: { mood: 'idle', words: 'Inactive' },
  in_progress: { mood: 'busy', words: 'In progress' },
  queued: { mood: 'busy', words: 'Queued' },
  pending: { mood: 'busy', words: 'Pending' },
}
