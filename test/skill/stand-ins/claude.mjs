// `claude mcp add` for a remote server: notes what would be configured.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { transport: { type: 'string' }, header: { type: 'string', multiple: true, default: [] } },
})
const [mcp, add, name, url, ...others] = positionals
if (mcp !== 'mcp' || add !== 'add' || !name || !url || others.length > 0)
  throw new Error(`not understood: ${positionals.join(' ')}`)
const headers = Object.fromEntries(values.header.map((line) => line.split(/:\s*/, 2)))
writeFileSync(process.env.STAND_IN_CLAUDE, JSON.stringify({ type: values.transport, url, headers }))
