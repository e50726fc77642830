// Answers with what its database holds, over SQLite's protocol for HTTP: no package has to be installed.
import { createServer } from 'node:http'

const { DATABASE_URL = '', DATABASE_AUTH_TOKEN = '', INK_GIT_COMMIT_SHA = 'unknown', PORT = '3000' } = process.env

async function message() {
  const requests = [{ type: 'execute', stmt: { sql: 'select text from messages limit 1' } }, { type: 'close' }]
  const answer = await fetch(new URL('/v2/pipeline', DATABASE_URL.replace(/^libsql:/, 'https:')), {
    method: 'POST',
    headers: { authorization: `Bearer ${DATABASE_AUTH_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ requests }),
  })
  const { results } = await answer.json()
  return results[0].response.result.rows[0][0].value
}

createServer(async (_request, response) => {
  response.setHeader('content-type', 'application/json')
  try {
    response.end(JSON.stringify({ message: await message(), commit: INK_GIT_COMMIT_SHA }))
  } catch (error) {
    console.error(error)
    response.writeHead(500).end(JSON.stringify({ error: 'the database does not answer' }))
  }
}).listen(Number(PORT), '0.0.0.0', () => console.log(`Listening on ${PORT}`))
