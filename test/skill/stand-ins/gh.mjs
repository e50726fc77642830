// GitHub’s command line tool, as far as the skill uses it, on the sandbox’s GitHub.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repo: { type: 'string' },
    body: { type: 'string' },
    paginate: { type: 'boolean' },
    jq: { type: 'string', default: '.' },
  },
})

async function ask(url, init = {}) {
  const headers = { authorization: `Bearer ${process.env.GH_TOKEN}`, accept: 'application/vnd.github+json' }
  const response = await fetch(url, { ...init, headers: { ...headers, ...init.headers } })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return response
}

async function pages(path) {
  const found = []
  let next = `${process.env.STAND_IN_GITHUB}/${path}`
  while (next) {
    const response = await ask(next)
    found.push(await response.json())
    next = values.paginate ? /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1] : undefined
  }
  return found
}

/** The part of jq that is a row of `.[]`, `.a.b` and `select(.a.b == "text" and (.c | startswith("text")))`. */
function filtered(expression, inputs) {
  const inside = (value, path) =>
    path
      .split('.')
      .filter(Boolean)
      .reduce((one, key) => one?.[key], value)
  return expression.split(/\s*\|\s*(?=\.|select)/).reduce((all, step) => {
    if (step === '.[]') return all.flat()
    const condition = /^select\((\.[\w.]+) == "([^"]*)" and \((\.[\w.]+) \| startswith\("([^"]*)"\)\)\)$/.exec(step)
    if (condition) {
      const [, path, wanted, other, start] = condition
      return all.filter((value) => inside(value, path) === wanted && inside(value, other).startsWith(start))
    }
    if (/^\.[\w.]*$/.test(step)) return all.map((value) => inside(value, step))
    throw new Error(`jq: not understood: ${step}`)
  }, inputs)
}

const [command, ...rest] = positionals
if (command === 'secret' && rest[0] === 'set') {
  const value = readFileSync(0, 'utf8')
  writeFileSync(process.env.STAND_IN_SECRET, JSON.stringify({ repo: values.repo, name: rest[1], value }))
} else if (command === 'pr' && rest[0] === 'comment') {
  const url = `${process.env.STAND_IN_GITHUB}/repos/${values.repo}/issues/${rest[1]}/comments`
  const headers = { 'content-type': 'application/json' }
  await ask(url, { method: 'POST', headers, body: JSON.stringify({ body: values.body }) })
} else if (command === 'api') {
  for (const value of filtered(values.jq, await pages(rest[0])))
    console.log(typeof value === 'string' ? value : JSON.stringify(value))
} else {
  throw new Error(`gh: not understood: ${positionals.join(' ')}`)
}
