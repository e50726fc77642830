import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'

interface Asset {
  readonly type: string
  readonly file: () => URL
  readonly policy?: string
}

const own = (name: string) => () => new URL(`./assets/${name}`, import.meta.url)
const installed = (name: string) => () => new URL(import.meta.resolve(name))

/** A diagram's frame runs Mermaid, which writes styles into the document, and can reach nothing. */
const DIAGRAM_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

const STYLE = 'text/css; charset=utf-8'
const SCRIPT = 'text/javascript; charset=utf-8'

const ASSETS: Readonly<Record<string, Asset>> = {
  '/-/colours.css': { type: STYLE, file: own('colours.css') },
  '/-/page.css': { type: STYLE, file: own('page.css') },
  '/-/boxes.css': { type: STYLE, file: own('boxes.css') },
  '/-/conversation.css': { type: STYLE, file: own('conversation.css') },
  '/-/run.css': { type: STYLE, file: own('run.css') },
  '/-/page.js': { type: SCRIPT, file: own('page.js') },
  '/-/icon.svg': { type: 'image/svg+xml', file: own('icon.svg') },
  '/-/github-markdown.css': {
    type: STYLE,
    file: installed('github-markdown-css/github-markdown.css'),
  },
  '/-/diagram.html': { type: 'text/html; charset=utf-8', file: own('diagram.html'), policy: DIAGRAM_POLICY },
  '/-/diagram.js': { type: SCRIPT, file: own('diagram.js') },
  '/-/mermaid.js': {
    type: SCRIPT,
    file: () => new URL('./mermaid.min.js', import.meta.resolve('mermaid')),
  },
}

/** Answers with one of the page's files; false when the path names none. */
export async function sendAsset(response: ServerResponse, path: string): Promise<boolean> {
  const asset = ASSETS[path]
  if (!asset) return false
  const body = await readFile(fileURLToPath(asset.file()))
  response.writeHead(200, {
    'content-type': asset.type,
    'cache-control': 'no-cache',
    ...(asset.policy === undefined ? {} : { 'content-security-policy': asset.policy }),
  })
  response.end(body)
  return true
}
