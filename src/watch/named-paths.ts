/** Where apps tell how they are, the best to ask first; then where those answer that have no page at `/`. */
const KNOWN = [
  ...['healthz', 'health', 'livez', 'readyz', 'ready', 'live', 'status', 'ping', 'up', 'actuator/health'],
  ...['docs', 'swagger', 'openapi.json', 'redoc', 'graphql', 'api', 'v1', 'v2'],
]

/** Behind the start of a line, white space, a quote, a bracket or a host, and with nothing that makes it a file's path. */
const PATH = /(?<=^|[\s"'`({[=,>]|https?:\/\/[\w.[\]-]+(?::\d+)?)\/((?:[\w.-]+\/)*[\w.-]+)\/?(?=$|[\s"'`)}\],;<?])/g

const MOST = 3

/**
 * Paths that an app itself names, in its log or in an answer, and that are likely to answer well: `GET /health`,
 * `Docs at http://localhost:8000/docs`, `Mapped {/api/users, GET}`. The best first, three at most.
 */
export function namedPaths(lines: readonly string[]): readonly string[] {
  const found = lines
    .filter((line) => !/\b404\b/.test(line))
    .flatMap((line) => [...line.matchAll(PATH)].map(([, path = '']) => path))
  const rank = (path: string) => {
    const lower = path.toLowerCase()
    return KNOWN.findIndex((known) => lower === known || lower.endsWith(`/${known}`) || lower.startsWith(`${known}/`))
  }
  return [...new Set(found)]
    .filter((path) => rank(path) !== -1 && path.length <= 60)
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, MOST)
    .map((path) => `/${path}`)
}
