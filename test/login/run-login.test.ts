import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InkPlatform, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { DeployError, errorMessage } from '../../src/core/errors.ts'
import type { Secret } from '../../src/core/secret.ts'
import { type LoginDeps, runLogin } from '../../src/login/login.ts'
import type { FoundRepository } from '../../src/login/repository.ts'
import { recommendedWorkflow } from '../../src/login/repository.ts'
import { KEY_MAY_REMAIN } from '../../src/login/server.ts'

let ink: InkPlatform
beforeAll(async () => {
  ink = await startInkPlatform()
})
afterAll(() => ink.stop())

const web: FoundRepository = { name: 'acme/web', address: 'github.com/acme/web', defaultBranch: 'main' }

/** Whoever sits at the browser. */
async function decideOn(address: string, decision: 'allow' | 'deny', redirect: 'follow' | 'manual'): Promise<Response> {
  const page = await (await fetch(address)).text()
  const ticket = /name="ticket" value="([^"]+)"/.exec(page)?.[1] ?? ''
  const body = new URLSearchParams({ ticket, decision })
  return fetch(new URL('/oauth/authorize', address), { method: 'POST', body, redirect })
}

const allow = (address: string) => decideOn(address, 'allow', 'follow')

/** A terminal at which somebody types these lines, a browser, gh for acme/web, and a clone without a workflow. */
function desk(lines: readonly string[], changes: Partial<LoginDeps> = {}) {
  const typed = [...lines]
  const left = { said: '', out: '', secret: '', workflow: '' }
  const deps: LoginDeps = {
    fetch,
    terminal: {
      interactive: true,
      say: (text) => {
        left.said += `${text}\n`
      },
      print: (text) => {
        left.out += text
      },
      line: async (signal) => {
        signal.throwIfAborted()
        return typed.shift()
      },
      [Symbol.dispose]: () => {},
    },
    openBrowser: (address) => void allow(address),
    newState: () => 'a state',
    patienceMs: 20_000,
    now: Date.now,
    signal: new AbortController().signal,
    github: {
      repository: async () => web,
      setSecret: async (_repository: FoundRepository, _name: string, value: Secret) => {
        left.secret = value.reveal()
      },
    },
    openWorkflowFile: () => ({
      content: undefined,
      write: async (text) => {
        left.workflow = text
      },
    }),
    ...changes,
  }
  return { deps, left }
}

const unwished = { browser: true, setSecret: false, writeWorkflow: false, print: false }
const login = (deps: LoginDeps, wishes = {}) => runLogin({ endpoint: ink.endpoint, ...unwished, ...wishes }, deps)

/** Whether the platform was asked for anything since then. */
const nothingAsked = (since: number) => expect(ink.journal.slice(since)).toEqual([])

describe('at a terminal', () => {
  it('two times Enter set the secret and write the workflow', async () => {
    const { deps, left } = desk(['', ''])
    await login(deps)
    expect(left.secret).toMatch(/^dk_test_/)
    expect(left.workflow).toBe(recommendedWorkflow())
    expect(left.said).toContain('Saved as the secret INK_API_KEY of acme/web.')
    expect(left.said + left.out).not.toContain(left.secret)
  })

  it('an answer that is none is asked for again', async () => {
    const { deps, left } = desk(['perhaps', 'No', 'YES', 'n'])
    await login(deps)
    expect(left.said.match(/Save the key as the secret/g)).toHaveLength(2)
    expect([left.out.startsWith('dk_test_'), left.secret, left.workflow]).toEqual([true, '', ''])
  })

  it('who wants the workflow alone needs no login for it', async () => {
    const since = ink.journal.length
    const { deps, left } = desk(['n', 'n', 'y'])
    await login(deps)
    expect(left.workflow).toBe(recommendedWorkflow())
    expect(left.said).toContain('No key was asked for')
    nothingAsked(since)
  })

  it('--write-workflow alone writes the file, and asks for no key', async () => {
    const since = ink.journal.length
    const { deps, left } = desk([])
    await login(deps, { writeWorkflow: true })
    expect(left).toMatchObject({ workflow: recommendedWorkflow(), out: '', secret: '' })
    expect(left.said).toContain('save a key as the secret INK_API_KEY')
    nothingAsked(since)
  })

  it('--write-workflow alone says so when the file stays as it is', async () => {
    const write = async () => expect.unreachable('it was kept')
    const { deps, left } = desk(['n'], { openWorkflowFile: () => ({ content: 'name: Mine', write }) })
    await login(deps, { writeWorkflow: true })
    expect(left.said).toContain('.github/workflows/deploy.yml stays as it is.')
  })

  it('the end of the input is not consent', async () => {
    const since = ink.journal.length
    const { deps, left } = desk([])
    await expect(login(deps)).rejects.toThrow('there was no answer')
    expect(left).toMatchObject({ out: '', secret: '', workflow: '' })
    nothingAsked(since)
  })

  it('is told why there is no secret to set, and asked about the rest', async () => {
    const { github } = desk([]).deps
    const repository = async () => {
      throw new DeployError('the GitHub CLI, gh, is not on this machine')
    }
    const { deps, left } = desk(['y', 'n'], { github: { ...github, repository } })
    await login(deps)
    expect(left.said).toContain('cannot be saved as a secret from here: the GitHub CLI, gh, is not on this machine.')
    expect(left.out).toMatch(/^dk_test_/)
  })
})

describe('a login', () => {
  it('without anybody to ask, or a place for the key, asks for nothing', async () => {
    const since = ink.journal.length
    const { deps, left } = desk([])
    const alone = { ...deps, terminal: { ...deps.terminal, interactive: false } }
    await expect(login(alone)).rejects.toThrow('nowhere to put the key')
    expect(left).toMatchObject({ out: '', secret: '', workflow: '' })
    nothingAsked(since)
  })

  it('asks for no key where a workflow file is in the way, and nobody can be asked to replace it', async () => {
    const since = ink.journal.length
    const write = async () => expect.unreachable('it was kept')
    const { deps, left } = desk([], { openWorkflowFile: () => ({ content: 'name: Mine', write }) })
    const alone = { ...deps, terminal: { ...deps.terminal, interactive: false } }
    await expect(login(alone, { print: true, writeWorkflow: true })).rejects.toThrow('deploy.yml is there already')
    expect(left).toMatchObject({ out: '', secret: '' })
    nothingAsked(since)
  })

  it('that is denied says so, and takes no key', async () => {
    const openBrowser = (address: string) => void decideOn(address, 'deny', 'follow')
    const { deps, left } = desk([], { openBrowser })
    await expect(login(deps, { print: true })).rejects.toThrow('did not give access: access_denied')
    expect(left.out).toBe('')
  })

  it('without a browser exchanges nothing for an answer with another state, and the code alone for a key', async () => {
    /** What is typed once the address was said: where a browser elsewhere was led to, or a part of that. */
    const typing = (part: (landing: URL) => string) => {
      const { deps, left } = desk([])
      const line = async () => {
        const [, address = ''] = /^ {2}(http:\S+\/oauth\/authorize\S+)$/m.exec(left.said) ?? []
        const led = await decideOn(address, 'allow', 'manual')
        return part(new URL(led.headers.get('location') ?? ''))
      }
      return { deps: { ...deps, terminal: { ...deps.terminal, line } }, left }
    }
    const since = ink.journal.length
    const other = typing((landing) => {
      landing.searchParams.set('state', 'of-another-login')
      return landing.href
    })
    await expect(login(other.deps, { print: true, browser: false })).rejects.toThrow('its state is not the one of this')
    expect(ink.journal.slice(since).map(({ name }) => name)).not.toContain('POST /oauth/token')
    const plain = typing((landing) => landing.searchParams.get('code') ?? '')
    await login(plain.deps, { print: true, browser: false })
    expect(plain.left.out).toMatch(/^dk_test_/)
  })

  it('is given up when nobody answers in the browser in time', async () => {
    const { deps, left } = desk([], { openBrowser: () => {}, patienceMs: 30 })
    await expect(login(deps, { print: true })).rejects.toThrow('nobody allowed access within')
    expect(left.out).toBe('')
  })

  it('ends with the reason of whoever cancels it', async () => {
    const controller = new AbortController()
    const openBrowser = () => controller.abort(new Error('cancelled'))
    const { deps } = desk([], { openBrowser, signal: controller.signal })
    await expect(login(deps, { print: true })).rejects.toThrow('cancelled')
  })

  it('says so when the key will expire', async () => {
    const expiring = async (address: string | URL, init?: RequestInit) => {
      const response = await fetch(address, init)
      if (!String(address).endsWith('/oauth/token')) return response
      return Response.json({ ...((await response.json()) as object), expires_in: 3600 })
    }
    const { deps, left } = desk([], { fetch: expiring, now: () => Date.parse('2026-01-01T10:00:00Z') })
    await login(deps, { print: true })
    expect(left.said).toContain('this key expires on 2026-01-01 11:00 UTC')
  })

  it('whose key is not taken says that it may still be at ml.ink', async () => {
    const refusing = async (address: string | URL, init?: RequestInit) =>
      new Headers(init?.headers).has('authorization') ? new Response(null, { status: 401 }) : fetch(address, init)
    const { deps, left } = desk([], { fetch: refusing })
    const error: unknown = await login(deps, { print: true }).catch((thrown) => thrown)
    expect(errorMessage(error)).toContain('does not take (HTTP 401)')
    expect((error as DeployError).hint).toContain(KEY_MAY_REMAIN)
    expect(left.out).toBe('')
  })

  it('is not ended by a page that tries the ports of this machine', async () => {
    const openBrowser = async (address: string) => {
      const landing = new URL(address).searchParams.get('redirect_uri')
      expect((await fetch(`${landing}?code=evil&state=guessed`)).status).toBe(400)
      await allow(address)
    }
    const { deps, left } = desk([], { openBrowser: (address) => void openBrowser(address) })
    await login(deps, { print: true })
    expect(left.out).toMatch(/^dk_test_/)
  })

  it.each([
    ['what is not an API key', { access_token: 'a.web.token' }],
    ['a token of another type', { token_type: 'DPoP' }],
  ])('takes no %s', async (_what, changes) => {
    const other = async (address: string | URL, init?: RequestInit) => {
      const response = await fetch(address, init)
      if (!String(address).endsWith('/oauth/token')) return response
      return Response.json({ ...((await response.json()) as object), ...changes })
    }
    const { deps, left } = desk([], { fetch: other })
    await expect(login(deps, { print: true })).rejects.toThrow('is not an API key')
    expect(left.out).toBe('')
  })

  it('leaves the workflow alone when the secret could not be set, and says that the key is lost', async () => {
    const { github } = desk([]).deps
    const setSecret = async () => {
      throw new DeployError('gh secret set failed: HTTP 403')
    }
    const { deps, left } = desk([], { github: { ...github, setSecret } })
    const error: unknown = await login(deps, { setSecret: true, writeWorkflow: true }).catch((thrown) => thrown)
    expect(errorMessage(error)).toBe(
      'the key could not be saved as a secret of acme/web: gh secret set failed: HTTP 403',
    )
    expect((error as DeployError).hint).toContain(`stored nowhere. ${KEY_MAY_REMAIN}`)
    expect(left.workflow).toBe('')
  })
})
