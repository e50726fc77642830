import type { Place } from './plan.ts'

/** Something that exists on the platform: `names` are those under which it can be asked for, the first for people. */
export interface KnownPlace {
  readonly names: readonly [string, ...string[]]
}

/** What is to be said of one of the inputs `project` and `workspace`. */
export type PlaceJudgement =
  | { readonly kind: 'known' }
  /** It will be made by being named: fine for a first deployment, and to be said. */
  | { readonly kind: 'new'; readonly detail: string }
  | { readonly kind: 'refused'; readonly detail: string; readonly hint: string }

/**
 * Judges the project's name. On ml.ink naming an unknown project makes it, so a slip of the pen would quietly put the
 * service where nobody looks: a name that is nearly that of a project which exists is refused. `default` is what every
 * account begins with and the input says when nobody writes it, whatever a server calls that project in its list.
 */
export function judgeProject({ project }: Pick<Place, 'project'>, known: readonly KnownPlace[]): PlaceJudgement {
  if (project === 'default' || isKnown(project, known)) return { kind: 'known' }
  const near = nearNames(project, known)
  const [nearest] = near
  if (nearest === undefined) {
    return { kind: 'new', detail: `there is no project “${project}” on ml.ink yet; there are ${listed(known)}` }
  }
  return {
    kind: 'refused',
    detail: `project: there is no “${project}” on ml.ink, but ${quoted(near)}`,
    hint: `Set \`project: ${nearest}\`. If a new project is meant, make it at ml.ink first, or give it a name that is less like the other.`,
  }
}

/** Judges the workspace's name: an unknown one is refused, since nothing makes workspaces by naming them. */
export function judgeWorkspace(workspace: string, known: readonly KnownPlace[]): PlaceJudgement {
  if (isKnown(workspace, known)) return { kind: 'known' }
  const [nearest] = nearNames(workspace, known)
  return {
    kind: 'refused',
    detail: `workspace: the key’s account has no “${workspace}” on ml.ink; it has ${listed(known)}`,
    hint: nearest
      ? `Set \`workspace: ${nearest}\`.`
      : 'Set one of these, or leave `workspace` out for the account’s default.',
  }
}

const mostListed = 20

function listed(known: readonly KnownPlace[]): string {
  const names = known.map(({ names: [name] }) => name)
  const rest = names.length - mostListed
  return names.length === 0 ? 'none' : `${names.slice(0, mostListed).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `“${name}”`).join(', ')
}

function isKnown(name: string, known: readonly KnownPlace[]): boolean {
  return known.some(({ names }) => names.includes(name))
}

/** What somebody may have meant who wrote `wanted`. */
function nearNames(wanted: string, known: readonly KnownPlace[]): string[] {
  return known.flatMap(({ names }) => names.filter((name) => isNear(wanted, name)).slice(0, 1))
}

function isNear(a: string, b: string): boolean {
  if (squashed(a) === squashed(b)) return true
  const [one, other] = differingParts(words(a), words(b))
  // `team-a` and `team-b`, `stage1` and `stage2` differ on purpose.
  if (withoutDigits(one) === withoutDigits(other) || Math.max(one.length, other.length) < 4) return false
  return editsBetween(one, other) <= (Math.max(one.length, other.length) < 7 ? 1 : 2)
}

const words = (name: string) => name.toLowerCase().split(/[-_. ]+/)
const squashed = (name: string) => words(name).join('')
const withoutDigits = (name: string) => name.replaceAll(/\d+/g, '0')

/** Two names without the words that both begin with, and without those that both end in. */
function differingParts(a: readonly string[], b: readonly string[]): [string, string] {
  const shorter = Math.min(a.length, b.length)
  let head = 0
  while (head < shorter && a[head] === b[head]) head++
  let tail = 0
  while (tail < shorter - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++
  return [a.slice(head, a.length - tail).join('-'), b.slice(head, b.length - tail).join('-')]
}

/** How many letters have to be added, dropped, replaced or swapped with their neighbour (optimal string alignment). */
function editsBetween(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + (same ? 0 : 1),
          swapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
  }
  return at(a.length, b.length)
}
