import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allowedValues,
  argumentsRefused,
  openCatalogue,
  refusedArguments,
  shapeArguments,
} from '../../src/ink/catalogue.ts'

function tool(properties: Record<string, object>) {
  return { name: 'create_service', inputSchema: { type: 'object' as const, properties } }
}

describe('arguments follow the schema that the tool declares', () => {
  it('port is a number, a text or a list of ports', () => {
    const wanted = { port: 8080 }
    expect(shapeArguments(tool({ port: { type: 'integer' } }), wanted).args).toEqual({ port: 8080 })
    expect(shapeArguments(tool({ port: { type: 'string' } }), wanted).args).toEqual({ port: '8080' })
    expect(shapeArguments(tool({ ports: { type: 'array' } }), wanted).args).toEqual({
      ports: [{ name: 'http', port: 8080, protocol: 'http', visibility: 'public' }],
    })
  })

  it('a choice between schemas is read like the one that fits', () => {
    const nullable = (type: string) => ({ anyOf: [{ type }, { type: 'null' }] })
    expect(shapeArguments(tool({ port: nullable('string') }), { port: 8080 }).args).toEqual({ port: '8080' })
    expect(shapeArguments(tool({ port: nullable('integer') }), { port: 8080 }).args).toEqual({ port: 8080 })
    expect(shapeArguments(tool({ env_vars: nullable('object') }), { env: { A: '1' } }).args).toEqual({
      env_vars: { A: '1' },
    })
    const memory = { anyOf: [{ type: 'string', enum: ['1024Mi'] }, { type: 'null' }] }
    expect(shapeArguments(tool({ memory }), { memory: '1Gi' }).args).toEqual({ memory: '1024Mi' })
  })

  it('an entry of ports has what its schema declares, and nothing else', () => {
    const items = { type: 'object', properties: { port: { type: 'string' }, protocol: { type: 'string' } } }
    expect(shapeArguments(tool({ ports: { type: ['null', 'array'], items } }), { port: 8080 }).args).toEqual({
      ports: [{ port: '8080', protocol: 'http' }],
    })
  })

  it('variables are a list of pairs or an object', () => {
    const wanted = { env: { A: '1', B: '2' } }
    expect(shapeArguments(tool({ env_vars: { type: 'array' } }), wanted).args).toEqual({
      env_vars: [
        { key: 'A', value: '1' },
        { key: 'B', value: '2' },
      ],
    })
    expect(shapeArguments(tool({ env_vars: { type: 'object' } }), wanted).args).toEqual({
      env_vars: { A: '1', B: '2' },
    })
  })

  it('a size is written as the enumeration writes it', () => {
    const memory = { type: 'string', enum: ['256Mi', '1024Mi'] }
    expect(shapeArguments(tool({ memory }), { memory: '1Gi' }).args).toEqual({ memory: '1024Mi' })
    expect(shapeArguments(tool({ memory: { type: 'string', enum: ['1Gi'] } }), { memory: '1024Mi' }).args).toEqual({
      memory: '1Gi',
    })
    expect(shapeArguments(tool({ vcpus: { type: 'number', enum: [0.5, 1] } }), { vcpus: '0.5' }).args).toEqual({
      vcpus: 0.5,
    })
  })

  it('a size that the list does not know goes as it is, for the platform to refuse', () => {
    expect(shapeArguments(tool({ memory: { type: 'string', enum: ['256Mi'] } }), { memory: '3000Mi' }).args).toEqual({
      memory: '3000Mi',
    })
  })

  it('what is not declared is not sent, and said', () => {
    expect(shapeArguments(tool({ name: { type: 'string' } }), { name: 'web', region: 'eu-central-1' })).toEqual({
      args: { name: 'web' },
      undeclared: ['region'],
    })
  })

  it('the newer spelling of a region and of a workspace is used where only that is declared', () => {
    const shaped = shapeArguments(tool({ regions: { type: 'array' }, workspace_slug: { type: 'string' } }), {
      region: 'eu',
      workspace: 'team',
    })
    expect(shaped.args).toEqual({ regions: ['eu'], workspace_slug: 'team' })
  })
})

describe('values are held against the lists of the tool before anything is sent', () => {
  const g1 = tool({
    memory: { type: 'string', enum: ['256Mi', '512Mi', '1024Mi'], default: '256Mi' },
    vcpus: { type: 'string', enum: ['0.5', '1'] },
    region: { type: 'string', enum: ['eu-central-1'] },
    build_pack: { type: 'string', enum: ['railpack', 'dockerfile'] },
    port: { type: 'integer' },
  })

  it('all that are not allowed are named with what is', () => {
    const refused = refusedArguments(g1, {
      memory: '128Mi',
      vcpus: '0.25',
      region: 'mars',
      buildPack: 'magic',
      port: 3000,
    })
    expect(refused).toEqual([
      { argument: 'memory', value: '128Mi', allowed: ['256Mi', '512Mi', '1024Mi'] },
      { argument: 'vcpus', value: '0.25', allowed: ['0.5', '1'] },
      { argument: 'region', value: 'mars', allowed: ['eu-central-1'] },
      { argument: 'buildPack', value: 'magic', allowed: ['railpack', 'dockerfile'] },
    ])
    const { message, hint } = argumentsRefused(refused)
    expect(message).toContain('`build-pack` is “magic”, and this ml.ink server allows railpack, dockerfile')
    expect(message).toContain('`memory` is “128Mi”')
    expect(hint).toMatch(/Nothing was changed/)
  })

  it('in whatever unit they are written', () => {
    expect(refusedArguments(g1, { memory: '1Gi', vcpus: '1.0', region: undefined })).toEqual([])
  })

  it('also where a list of them is wanted, and a choice between schemas', () => {
    const g2 = tool({
      regions: { type: 'array', items: { type: 'string', enum: ['eu', 'us'] } },
      memory: { anyOf: [{ type: 'string', enum: ['128Mi'] }, { type: 'null' }, null] },
    })
    expect(allowedValues(g2, 'region')).toEqual(['eu', 'us'])
    expect(refusedArguments(g2, { region: 'mars', memory: '256Mi' })).toHaveLength(2)
    expect(refusedArguments(g2, { region: 'us', memory: '128Mi' })).toEqual([])
  })

  it('where a tool sets no list, anything may do', () => {
    expect(allowedValues(tool({ memory: { type: 'string' } }), 'memory')).toBeUndefined()
    expect(refusedArguments(tool({}), { memory: '3Gi', region: 'mars' })).toEqual([])
  })

  it('whatever a server calls its schema', () => {
    const properties = fc.dictionary(fc.constantFrom('memory', 'region', 'port', 'env_vars', 'ports'), fc.anything())
    const wanted = { memory: '1Gi', region: 'eu', port: 80, env: { A: '1' } }
    fc.assert(
      fc.property(properties, (odd) => {
        refusedArguments(tool(odd as Record<string, object>), wanted)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('tools are found by purpose', () => {
  const listed = (...names: string[]) => openCatalogue(names.map((name) => ({ ...tool({}), name })))

  it('under the names of every generation', () => {
    expect(listed('create_service').need('createService').name).toBe('create_service')
    expect(listed('service_create').need('createService').name).toBe('service_create')
    expect(listed('get_git_push_token').need('getGitToken').name).toBe('get_git_push_token')
  })

  it('a missing one is named together with what was looked for', () => {
    expect(() => listed('whoami').need('getGitToken')).toThrow(
      /no tool to get git token .*get_git_token, repo_get_token/,
    )
  })
})
