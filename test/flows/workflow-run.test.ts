import { expect, it } from 'vitest'
import { jobContext } from '../../sandbox/runner/job-context.ts'
import { recordRun } from '../../sandbox/runner/run-record.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

it('a workflow_run is of the pull request that it names, where a branch has two', async () => {
  const scene = await stage.scene()
  const { repository } = scene
  const { number } = await scene.open('one')
  const base = { branch: 'base', parent: scene.first, files: { 'NOTES.md': 'note' }, message: 'Another base' }
  await repository.commit(base)
  const other = await repository.openPullRequest({ head: 'change-1', base: 'base' })
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
  // Which GitHub lists first.
  expect(stage.ink.service(scene.preview(other.number))).toBeUndefined()
})
