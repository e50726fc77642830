// curl, as far as the skill uses it, so that the tests need none. It reaches ml.ink’s stand-in and this machine alone.
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fail: { type: 'boolean', short: 'f' },
    silent: { type: 'boolean', short: 's' },
    'show-error': { type: 'boolean', short: 'S' },
    header: { type: 'string', short: 'H', multiple: true, default: [] },
    data: { type: 'string', short: 'd' },
    retry: { type: 'string', default: '0' },
    'retry-delay': { type: 'string', default: '1' },
    'retry-all-errors': { type: 'boolean' },
  },
})
const [url, ...others] = positionals
if (url === undefined || others.length > 0) throw new Error(`one address is wanted, not ${positionals.join(' ')}`)
const target = url === 'https://mcp.ml.ink/mcp' ? process.env.STAND_IN_ENDPOINT : url
if (new URL(target).hostname !== '127.0.0.1') throw new Error(`could not resolve host: ${target}`)

const request = {
  method: values.data === undefined ? 'GET' : 'POST',
  headers: Object.fromEntries(values.header.map((line) => line.split(/:\s*/, 2))),
  ...(values.data === undefined ? {} : { body: values.data }),
}
const tries = Number(values.retry) + 1
// A hundredth of the time: what is waited for comes sooner here.
const delayMs = Number(values['retry-delay']) * 10

for (let attempt = 1; ; attempt++) {
  const response = await fetch(target, request).catch(() => undefined)
  if (response && (response.ok || !values.fail)) {
    process.stdout.write(await response.text())
    break
  }
  const mayRetry = attempt < tries && values['retry-all-errors']
  if (!mayRetry) {
    process.stderr.write(`curl: ${response ? `the answer was ${response.status}` : 'no connection'}\n`)
    process.exitCode = response ? 22 : 7
    break
  }
  await pause(delayMs)
}
