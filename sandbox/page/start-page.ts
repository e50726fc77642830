import type { GitHub } from '../github/github.ts'
import type { InkPlatform } from '../ink/platform.ts'
import type { PageContent } from './content.ts'
import { stateBadge } from './elements.ts'
import { type Html, html, webAddress } from './html.ts'
import { servicePath, serviceSign, serviceWords } from './service-page.ts'

/** The first page: repositories with their pull requests, and the services of the platform. */
export function startPage(github: GitHub, ink: InkPlatform): PageContent {
  return {
    title: 'Sandbox',
    regions: [
      {
        id: 'head',
        html: html`<h1>Sandbox</h1><p class="muted">GitHub, a runner and ml.ink on this machine. Nothing leaves it.</p>`,
      },
      { id: 'repositories', html: renderRepositories(github) },
      { id: 'services', html: renderServices(ink) },
      { id: 'addresses', html: renderAddresses(github, ink) },
    ],
  }
}

function renderRepositories(github: GitHub): Html {
  return html`<section class="box"><h2 class="box-title">Repositories</h2><ul class="plain">${github.repositories().map(
    (repository) => html`<li class="box-row"><div><h3><a href="/${repository.fullName}">${repository.fullName}</a></h3>
${[...repository.pulls.values()].map(
  (pull) => html`<p>${stateBadge(pull)}
<a href="/${repository.fullName}/pull/${pull.number}">#${pull.number} ${pull.title}</a></p>`,
)}</div></li>`,
  )}</ul></section>`
}

function renderServices(ink: InkPlatform): Html {
  const services = ink.services()
  if (services.length === 0) return html``
  return html`<section class="box"><h2 class="box-title">Services</h2><ul class="plain">${services.map((service) => {
    const url = webAddress(service.url)
    return html`<li class="box-row">${serviceSign(service)}<div><h3><a href="${servicePath(service)}">${service.name}</a></h3>
<p class="muted">${serviceWords(service)} · project ${service.project} · branch <code>${service.branch}</code>${url !== undefined && html` · <a href="${url}">${url}</a>`}</p></div></li>`
  })}</ul></section>`
}

function renderAddresses(github: GitHub, ink: InkPlatform): Html {
  return html`<section class="box"><h2 class="box-title">Addresses</h2><dl class="outputs">
<dt>MCP endpoint</dt><dd>${ink.endpoint}</dd><dt>Git host of ml.ink</dt><dd>${ink.gitOrigin}</dd>
<dt>GitHub</dt><dd>${github.serverUrl}</dd><dt>GitHub's API</dt><dd>${github.apiUrl}</dd></dl></section>`
}
