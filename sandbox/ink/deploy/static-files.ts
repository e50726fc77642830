import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, resolve, sep } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.xml': 'application/xml',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}

/** Serves a folder of files: the path, the path with `.html`, its `index.html`, the folder's `404.html`. Never leaves the folder. */
export async function serveStaticFile(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const pathname = decodePath(request.url ?? '/')
  const wanted = pathname === undefined ? undefined : resolve(folder, `.${pathname}`)
  const inside = wanted !== undefined && (wanted === folder || wanted.startsWith(folder + sep))
  const found = inside ? await firstFile([wanted, `${wanted}.html`, join(wanted, 'index.html')]) : undefined
  const file = found ?? (await firstFile([join(folder, '404.html')]))
  if (file === undefined) {
    response
      .writeHead(404, { 'content-type': 'text/html' })
      .end('<html><body><h1>404 Not Found</h1><hr>nginx</body></html>\n')
    return
  }
  const type = TYPES[extname(file.path).toLowerCase()] ?? 'application/octet-stream'
  response.writeHead(found === undefined ? 404 : 200, { 'content-type': type, 'content-length': file.size })
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  createReadStream(file.path)
    .once('error', () => response.destroy())
    .pipe(response)
}

function decodePath(url: string): string | undefined {
  try {
    return decodeURIComponent(new URL(url, 'http://site.invalid').pathname)
  } catch {
    return undefined
  }
}

async function firstFile(paths: readonly string[]): Promise<{ path: string; size: number } | undefined> {
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile()) return { path, size: found.size }
  }
  return undefined
}
