import { expect, it } from 'vitest'
import { jobContext } from '../../sandbox/runner/job-context.ts'
import { recordRun } from '../../sandbox/runner/run-record.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

it('a workflow_run is of the pull request that it names, where two share a head', async () => {
  const scene = await stage.scene()
  const { repository } = scene
  const { sha } = await scene.open('one')
  await repository.setReference('refs/heads/two', sha)
  const { number } = await repository.openPullRequest({ head: 'two', base: 'main' })
  const tests = await repository.event('pull_request', { action: 'opened', number })
  const { run, finish } = recordRun(
    repository,
    await jobContext(repository, tests, { profile: stage.github.profile }),
    {
      runId: 7,
      runNumber: 1,
      runAttempt: 1,
      jobName: 'test',
      workflow: { name: 'Tests', path: '.github/workflows/tests.yml' },
      environment: undefined,
      otherJobs: [],
      serverUrl: stage.github.serverUrl,
      now: new Date(),
    },
  )
  finish('success')
  expect((await scene.act('workflow_run', { runId: run.id, number })).told).toBe('live')
  expect(stage.ink.service(scene.preview(number))).toBeDefined()
  expect(stage.ink.service(scene.preview(1))).toBeUndefined()
})
