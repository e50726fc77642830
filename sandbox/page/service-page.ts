import type { InkPlatform } from '../ink/platform.ts'
import type { PageContent } from './content.ts'
import { duration, type Mood, moment, shortSha, sign } from './elements.ts'
import { type Html, html, webAddress } from './html.ts'

export type ServiceView = ReturnType<InkPlatform['services']>[number]
type DeploymentView = ServiceView['deployments'][number]

const STATUS_MOODS: Readonly<Record<string, Mood>> = {
  active: 'good',
  failed: 'bad',
  crashed: 'bad',
  cancelled: 'idle',
  superseded: 'idle',
}
/** What a minute of a vCPU and of a GB of memory cost, as the platform's site says. */
const PRICE = { vcpuMinute: 0.000393, gbMinute: 0.000161 }
const UNITS: Readonly<Record<string, number>> = { Mi: 1 / 1024, Gi: 1 }

export function servicePath({ owner, project, name }: ServiceView): string {
  return `/-/services/${[owner, project, name].map(encodeURIComponent).join('/')}`
}

export function serviceSign(service: ServiceView): Html {
  const words = serviceWords(service)
  return sign(service.deleting ? 'busy' : (STATUS_MOODS[service.status] ?? 'busy'), words)
}

export function serviceWords({ deleting, status }: ServiceView): string {
  return deleting ? 'being deleted' : status
}

/** A service of the platform: what it runs, how it came to that, what it says. Variables are shown by name alone. */
export function servicePage(service: ServiceView): PageContent {
  const { deployments, buildLog, runtimeLog } = service
  return {
    title: `${service.name} · ml.ink`,
    regions: [
      { id: 'head', html: renderHead(service) },
      { id: 'facts', html: renderFacts(service) },
      { id: 'deployments', html: renderDeployments(deployments.toReversed()) },
      { id: 'runtime-log', html: renderLines('Log of the app', runtimeLog) },
      { id: 'build-log', html: renderLines('Log of the builds', buildLog) },
    ],
  }
}

function renderHead(service: ServiceView): Html {
  const url = webAddress(service.url)
  return html`<h1>${serviceSign(service)} ${service.name}</h1>
<p class="muted">${serviceWords(service)} · a service on ml.ink, project ${service.project}</p>
${url !== undefined && html`<p><a class="address" href="${url}">${url}</a></p>`}`
}

function renderFacts({ config, branch, repo, customDomain }: ServiceView): Html {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Branch', `${branch} of ${repo}`],
    ['Build pack', config.buildPack],
    ['Size', `${config.vcpus} vCPU, ${config.memory}`],
    ['Cost', `about $${costPerDay(config).toFixed(2)} a day`],
    ['Domain', customDomain?.domain],
    ['Variables', config.env.map(({ key }) => key).join(', ')],
  ]
  return html`<section class="box"><h2 class="box-title">Settings</h2><dl class="outputs">${facts.map(
    ([name, value]) => value !== undefined && value !== '' && html`<dt>${name}</dt><dd>${value}</dd>`,
  )}</dl></section>`
}

function costPerDay({ vcpus, memory }: ServiceView['config']): number {
  const [, amount = '0', unit = 'Gi'] = /^(\d+)(Mi|Gi)$/.exec(memory) ?? []
  const gigabytes = Number(amount) * (UNITS[unit] ?? 1)
  return 24 * 60 * (Number(vcpus) * PRICE.vcpuMinute + gigabytes * PRICE.gbMinute)
}

function renderDeployments(deployments: readonly DeploymentView[]): Html {
  return html`<section class="box"><h2 class="box-title">Deployments</h2><ul class="plain">${deployments.map(
    (deployment) => html`<li class="box-row">${sign(STATUS_MOODS[deployment.status] ?? 'busy', deployment.status)}
<div><h3>${deployment.status}</h3>
<p class="muted">${deployment.commit !== undefined && html`<code>${shortSha(deployment.commit)}</code> of `}<code>${deployment.branch}</code> · ${moment(new Date(deployment.createdAtMs))}
${deployment.finishedAtMs !== undefined && ` · in ${duration(deployment.finishedAtMs - deployment.createdAtMs)}`}${deployment.cached === true && ' · image reused'}</p>
${deployment.errorMessage !== undefined && html`<p class="bad">${deployment.errorMessage}</p>`}</div></li>`,
  )}</ul></section>`
}

const MOST_LINES = 200

function renderLines(title: string, lines: readonly string[]): Html {
  if (lines.length === 0) return html``
  return html`<section class="box"><h2 class="box-title">${title}</h2>
<pre class="patch">${lines.slice(-MOST_LINES).map(
    (line) => html`<span class="patch-line">${line}
</span>`,
  )}</pre></section>`
}
