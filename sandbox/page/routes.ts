import type { Repository } from '../github/github.ts'
import type { PageContent, PageSources } from './content.ts'
import { issuePage, pullPage } from './pull-page.ts'
import { blobPage, commitPage, repositoryPage } from './repository-page.ts'
import { runPage } from './run-page.ts'
import { servicePage } from './service-page.ts'
import { findRun } from './shown-runs.ts'
import { startPage } from './start-page.ts'

/** The page at a path of GitHub's address space, or `undefined` when there is none. */
export async function contentAt(sources: PageSources, path: string): Promise<PageContent | undefined> {
  const github = sources.github()
  const [owner, name, ...rest] = path.split('/').slice(1).map(decoded)
  if (owner === '' || owner === undefined) return startPage(github, sources.ink)
  if (owner === '-' && name === 'services') return serviceContent(sources, rest)
  if (owner === '-') return undefined
  const repository = github
    .repositories()
    .find((one) => one.fullName.toLowerCase() === `${owner}/${name}`.toLowerCase())
  return repository && repositoryContent(sources, repository, rest)
}

function serviceContent(
  { ink }: PageSources,
  [owner, project, name]: readonly (string | undefined)[],
): PageContent | undefined {
  const found = ink.services().findLast((one) => one.owner === owner && one.project === project && one.name === name)
  return found && servicePage(found)
}

async function repositoryContent(
  { book, git }: PageSources,
  repository: Repository,
  [kind = '', first, ...rest]: readonly string[],
): Promise<PageContent | undefined> {
  if (kind === 'commit') return commitPage(repository, first ?? '')
  if (kind === 'blob') return blobPage(git, repository, first ?? '', rest.join('/'))
  if (kind === 'actions' && first === 'runs') {
    const run = findRun(repository, book, Number(rest[0]))
    return run && runPage(git, repository, run)
  }
  if (!LISTS.includes(kind)) return undefined
  return first === undefined ? repositoryPage(repository, book) : discussion({ book, git }, repository, Number(first))
}

/** Addresses of lists, all of which are on the repository's page. */
const LISTS = ['', 'pull', 'pulls', 'issues', 'actions', 'deployments']

/** GitHub redirects between the addresses of issues and pull requests; one page answers at both here. */
async function discussion(
  { book, git }: Pick<PageSources, 'book' | 'git'>,
  repository: Repository,
  number: number,
): Promise<PageContent | undefined> {
  const pull = repository.pulls.get(number)
  if (pull) return pullPage(git, repository, pull, book)
  const issue = repository.issues.get(number)
  return issue && issuePage(repository, issue)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    // Not a percent encoding: it names nothing here, and the answer is that there is no such page.
    return part
  }
}
