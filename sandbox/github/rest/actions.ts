import { notFound } from '../access.ts'
import { renderJob, renderRun } from '../render/run.ts'
import type { WorkflowRun } from '../state/model.ts'
import { type Answer, type Call, type Handlers, pageOf } from './call.ts'

/** Workflow runs and their jobs. */
export const actions: Handlers = {
  'actions/get-workflow-run': async (call) => ({
    status: 200,
    body: await renderRun(call.world, call.repository, runOf(call)),
  }),
  'actions/list-jobs-for-workflow-run': listJobs,
  'actions/list-jobs-for-workflow-run-attempt': (call) => {
    if (runOf(call).attempt !== Number(call.params.attempt_number)) throw notFound()
    return listJobs(call)
  },
}

function listJobs(call: Call): Answer {
  const run = runOf(call)
  const { slice, list } = pageOf(call, run.jobs)
  return {
    status: 200,
    list,
    body: { total_count: run.jobs.length, jobs: slice.map((job) => renderJob(call.world, call.repository, run, job)) },
  }
}

function runOf(call: Call): WorkflowRun {
  const run = call.repository.runs.get(Number(call.params.run_id))
  if (!run) throw notFound()
  return run
}
