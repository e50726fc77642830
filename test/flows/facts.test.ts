import { describe, expect, it } from 'vitest'
import { lookUp } from '../../src/flows/facts.ts'
import type { Deps } from '../../src/flows/run.ts'
import type { ChangedFiles, PullRequestState } from '../../src/github/pull-requests.ts'
import type { NeededFact } from '../../src/plan/context.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import { baseSha, headSha, planInput, push } from '../plan/plan-inputs.ts'

type Parts = Parameters<typeof lookUp>[0]
const { signal } = new AbortController()

function pull(number: number, ref: string): PullRequestState {
  return {
    ...{ number, open: true, draft: false, labels: [] },
    head: { sha: headSha, ref, repository: 'acme/web' },
    base: { sha: baseSha },
    updatedAt: '2026-11-22T10:00:00Z',
  }
}

/** The ports that facts are asked of, with these answers. */
function parts(answers: {
  pulls?: readonly PullRequestState[]
  compared?: ChangedFiles | undefined
  tip?: string
  service?: { readonly branch: string; readonly status: string } | Error
}): Parts {
  const platform = {
    service: async () => {
      if (answers.service instanceof Error) throw answers.service
      return answers.service
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  const github = {
    pullRequests: { list: async () => answers.pulls, changedBetween: async () => answers.compared },
    branches: { tip: async () => answers.tip },
  }
  return { github, openPlatform: async () => platform, log: { debug: () => undefined } } as unknown as Pick<
    Deps,
    'github' | 'openPlatform' | 'log'
  >
}

describe('the pull request of a commit that two have as their head', () => {
  const need: NeededFact = {
    ...{ fact: 'pullRequest', headSha, headBranch: 'feature', headRepository: 'acme/web', numbers: [13] },
  }
  const pulls = [pull(12, 'feature'), pull(13, 'feature'), pull(14, 'other')]

  it('is the one that is named, else that of the branch', async () => {
    expect(await lookUp(parts({ pulls }), need, signal)).toMatchObject({ pullRequest: { number: 13 } })
    const unnamed = { ...need, numbers: [], headBranch: 'other' } as NeededFact
    expect(await lookUp(parts({ pulls }), unnamed, signal)).toMatchObject({ pullRequest: { number: 14 } })
  })
})

describe('what is live', () => {
  const made = makePlan(planInput(push('refs/heads/main'), { paths: 'src/**' }))
  const need = made.kind === 'needs' ? made.need : undefined
  const ask = async (answers: Parameters<typeof parts>[0]) => need && (await lookUp(parts(answers), need, signal))
  const branch = `ink/production/acme-web/${headSha}`

  it('is the commit of the branch that a live service runs, and unknown in all other cases', async () => {
    expect(await ask({ service: { branch, status: 'active' } })).toEqual({ live: { commit: headSha } })
    expect(await ask({})).toEqual({ live: 'absent' })
    expect(await ask({ service: { branch, status: 'failed' } })).toEqual({ live: 'unknown' })
    expect(await ask({ service: { branch: 'main', status: 'active' } })).toEqual({ live: 'unknown' })
    expect(await ask({ service: new Error('no answer') })).toEqual({ live: 'unknown' })
  })
})

describe('what changed since', () => {
  const need: NeededFact = { fact: 'changedFiles', of: { kind: 'range', before: baseSha, after: headSha } }
  const ask = (compared: ChangedFiles | undefined) => lookUp(parts({ compared }), need, signal)

  it('is known only of a whole list between commits of which one leads to the other', async () => {
    const paths = ['docs/a.md']
    expect(await ask({ paths, complete: true, relation: 'ahead' })).toEqual({ changedFiles: paths })
    for (const relation of ['behind', 'diverged', undefined])
      expect(await ask({ paths, complete: true, relation })).toEqual({ changedFiles: 'unreadable' })
    expect(await ask({ paths, complete: false, relation: 'ahead' })).toEqual({ changedFiles: 'unreadable' })
    expect(await ask(undefined)).toEqual({ changedFiles: 'unreadable' })
  })
})

describe('a newer version', () => {
  const need: NeededFact = { fact: 'relation', of: { base: baseSha, head: headSha, ref: 'refs/heads/main' } }
  const compared = { paths: [], complete: true, relation: 'ahead' }

  it('is one that has all of the older one, unless the branch was set back to that', async () => {
    expect(await lookUp(parts({ compared, tip: headSha }), need, signal)).toEqual({ relation: 'ahead' })
    expect(await lookUp(parts({ compared, tip: baseSha }), need, signal)).toEqual({ relation: 'other' })
    expect(await lookUp(parts({ tip: headSha }), need, signal)).toEqual({ relation: 'unreadable' })
  })
})
