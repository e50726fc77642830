import type { Deployment, DeploymentStatus, Repository } from '../github/github.ts'
import { author, avatar, commitLink, DEPLOYMENT_WORDS, moment, sign } from './elements.ts'
import { type Html, html, webAddress } from './html.ts'

/** A record and its latest status; a record without any counts as pending, as on GitHub. */
export interface ShownDeployment {
  readonly deployment: Deployment
  readonly status: DeploymentStatus | undefined
}

/** The records made for these commits, newest first. */
export function deploymentsOf(repository: Repository, commits: ReadonlySet<string>): readonly ShownDeployment[] {
  return repository
    .deployments()
    .filter((deployment) => commits.has(deployment.sha))
    .map((deployment) => ({ deployment, status: deployment.statuses.at(-1) }))
}

/** An entry of the conversation: who deployed what, where it is, and how that stands. */
export function renderDeploymentEntry({ deployment, status }: ShownDeployment, repository: Repository): Html {
  const { mood, words } = DEPLOYMENT_WORDS[status?.state ?? 'pending']
  return html`<div class="event">
<span class="event-sign">${sign(mood, words)}</span>
<p>${avatar(deployment.creator.login)} ${author(deployment.creator.login)} ${entryWords(status)} to <b>${deployment.environment}</b> ${moment(deployment.createdAt)} — <span class="${mood}">${words}</span>
${commitLink(repository.fullName, deployment.sha)}</p>
${viewButton(status)}
</div>`
}

function entryWords(status: DeploymentStatus | undefined): string {
  switch (status?.state) {
    case 'success':
    case 'inactive':
      return 'deployed'
    case 'failure':
    case 'error':
      return 'had a problem deploying'
    default:
      return 'requested a deployment'
  }
}

/** The box that says where it is live. */
export function renderDeploymentBox(shown: readonly ShownDeployment[], repository: Repository): Html | false {
  const current = shown.filter(({ status }) => status?.state !== 'inactive')
  const [latest] = current
  if (!latest) return false
  const active = current.filter(({ status }) => status?.state === 'success').length
  const { mood } = DEPLOYMENT_WORDS[latest.status?.state ?? 'pending']
  return html`<section class="box-row deployment-box">
${sign(mood, headline(latest))}
<div><h3>${headline(latest)}</h3>
<p class="muted">${active === 1 ? '1 active deployment' : `${active} active deployments`}</p>
<ul class="plain">${current.slice(0, 5).map((one) => renderLine(one, repository))}</ul></div>
</section>`
}

function renderLine({ deployment, status }: ShownDeployment, repository: Repository): Html {
  const { mood, words } = DEPLOYMENT_WORDS[status?.state ?? 'pending']
  const log = webAddress(status?.logUrl)
  return html`<li class="split"><span>${sign(mood, words)} <b>${deployment.environment}</b>
<span class="muted">${words} · ${commitLink(repository.fullName, deployment.sha)}
${log !== undefined && html` · <a href="${log}">Log</a>`}
${status !== undefined && status.description !== '' && html` · ${status.description}`}</span></span>${viewButton(status)}</li>`
}

function headline({ status }: ShownDeployment): string {
  switch (status?.state) {
    case 'success':
      return 'This branch was successfully deployed'
    case 'failure':
    case 'error':
      return 'This branch had an error being deployed'
    default:
      return 'This branch is being deployed'
  }
}

/** GitHub shows the button while the address is the deployment's own. */
function viewButton(status: DeploymentStatus | undefined): Html | false {
  const address = status?.state === 'inactive' ? undefined : webAddress(status?.environmentUrl)
  return address !== undefined && html`<a class="button" href="${address}">View deployment</a>`
}

/** The address that is live for these records, if there is one. */
export function liveAddress(
  shown: readonly ShownDeployment[],
): { readonly id: number; readonly url: string } | undefined {
  for (const { status } of shown) {
    const url = status?.state === 'success' ? webAddress(status.environmentUrl) : undefined
    if (url !== undefined && status) return { id: status.id, url }
  }
  return undefined
}
