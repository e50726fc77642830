// Puts the greeting and the commit into the page, the way a real build puts sources into an artefact.
import { mkdirSync, writeFileSync } from 'node:fs'
import { greeting } from './greeting.js'

const commit = process.env.INK_GIT_COMMIT_SHA ?? 'unknown'
const page = `<!doctype html>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${greeting}</title>
<style>body { font: 1.2rem/1.5 system-ui; display: grid; place-content: center; min-height: 90vh; text-align: center } code { word-break: break-all }</style>
<h1>${greeting}</h1>
<p>commit <code>${commit}</code></p>
`
mkdirSync('public', { recursive: true })
writeFileSync('public/index.html', page)
console.log(`Built the page for commit ${commit}`)
