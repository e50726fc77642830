import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

const { PORT = '3000', INK_ENVIRONMENT, INK_GIT_COMMIT_SHA = 'unknown', PREVIEW_PASSWORD = '' } = process.env
const expected = `Basic ${Buffer.from(`preview:${PREVIEW_PASSWORD}`).toString('base64')}`

/** Production is open. A preview without a password is closed: a secret that is missing must not open it. */
function mayEnter({ headers }) {
  if (INK_ENVIRONMENT !== 'preview') return true
  return PREVIEW_PASSWORD !== '' && isSame(headers.authorization ?? '', expected)
}

/** Takes the same time whatever was guessed. */
function isSame(a, b) {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(left, right)
}

createServer((request, response) => {
  // The health check has no password, and is told nothing but which commit this is.
  if (request.url === '/healthz') return response.end(`ok ${INK_GIT_COMMIT_SHA}\n`)
  if (mayEnter(request)) return response.end('Hello\n')
  response.writeHead(401, { 'www-authenticate': 'Basic realm="preview"' }).end('This preview asks for a password.\n')
}).listen(Number(PORT), '0.0.0.0', () => console.log(`Listening on ${PORT}`))
