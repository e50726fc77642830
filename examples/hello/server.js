import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const page = readFileSync('public/index.html')
const port = Number(process.env.PORT ?? 3000)

createServer((request, response) => {
  if (request.url === '/healthz') return response.end('ok\n')
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.end(page)
}).listen(port, '0.0.0.0', () => console.log(`Listening on ${port}`))
