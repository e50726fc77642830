// Shows the page that was built, with what the API of the same environment says.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const page = readFileSync('public/index.html', 'utf8')
const { API_URL = 'http://localhost:3001', PORT = '3000' } = process.env

async function message() {
  const answer = await fetch(API_URL, { signal: AbortSignal.timeout(5000) })
  return (await answer.json()).message
}

createServer(async (_request, response) => {
  const said = await message().catch(() => 'nothing, it does not answer')
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.end(page.replace('{{message}}', () => said.replaceAll('<', '&lt;')))
}).listen(Number(PORT), '0.0.0.0', () => console.log(`Listening on ${PORT}`))
