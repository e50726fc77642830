import { renderChangedFiles, renderCommit } from '../render/commit.ts'
import { renderFullPull, renderPull } from '../render/pull.ts'
import { readCommits } from '../state/history.ts'
import { type Call, type Handlers, paged, pullOf } from './call.ts'

/** Pull requests: one, all, their files and commits. */
export const pulls: Handlers = {
  'pulls/get': async (call) => ({
    status: 200,
    body: await renderFullPull(call.world, call.repository, pullOf(call)),
  }),
  'pulls/list': (call) => paged(call, listed(call), (pull) => renderPull(call.world, call.repository, pull)),
  'pulls/list-files': async (call) => {
    const pull = pullOf(call)
    const files = await renderChangedFiles(call.repository, pull.baseSha, pull.headSha, call.world)
    return paged(call, files, (file) => file)
  },
  'pulls/list-commits': async (call) => {
    const pull = pullOf(call)
    const commits = await readCommits(call.repository, pull.headSha, pull.baseSha)
    return paged(call, commits.reverse(), (commit) => renderCommit(call.repository, commit, call.world))
  },
}

function listed(call: Call) {
  const { state = 'open', head, base, sort = 'created', direction } = call.query
  const found = [...call.repository.pulls.values()].filter(
    (pull) =>
      (state === 'all' || pull.state === state) &&
      (base === undefined || pull.baseRef === base) &&
      (head === undefined || `${pull.headFullName.split('/')[0]}:${pull.headRef}` === head),
  )
  const byUpdate = sort === 'updated'
  found.sort((a, b) => (byUpdate ? a.updatedAt.getTime() - b.updatedAt.getTime() : 0) || a.number - b.number)
  // GitHub's default: newest first when sorted by creation, which is the default, otherwise ascending.
  const ascending = direction === undefined ? sort !== 'created' : direction === 'asc'
  return ascending ? found : found.reverse()
}
