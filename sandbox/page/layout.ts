import type { PageContent, Region } from './content.ts'
import { type Html, html } from './html.ts'

const STYLES = ['github-markdown', 'colours', 'page', 'boxes', 'conversation', 'run']

/** A whole document around the regions of a page. `path` is where updates are asked for. */
export function renderDocument(content: PageContent, path: string): Html {
  const main = content.regions.filter((region) => region.aside !== true)
  const aside = content.regions.filter((region) => region.aside === true)
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${content.title}</title>
<link rel="icon" href="/-/icon.svg" type="image/svg+xml">
${STYLES.map((name) => html`<link rel="stylesheet" href="/-/${name}.css">`)}
<script src="/-/page.js" defer></script>
</head>
<body data-path="${path}">
<header class="bar"><a href="/">Sandbox</a>${breadcrumb(path)}<span class="bar-state" id="connection" role="status"></span></header>
<div class="columns${aside.length > 0 && ' with-aside'}">
<main>${main.map(renderRegion)}</main>
${aside.length > 0 && html`<aside>${aside.map(renderRegion)}</aside>`}
</div>
</body>
</html>
`
}

function renderRegion(region: Region): Html {
  return html`<div class="region" id="${region.id}">${region.html}</div>`
}

function breadcrumb(path: string): Html | false {
  const [owner, name] = path.split('/').filter((part) => part !== '')
  if (owner === undefined || name === undefined) return false
  return html`<span class="bar-separator">/</span><a href="/${owner}/${name}">${owner}/${name}</a>`
}
