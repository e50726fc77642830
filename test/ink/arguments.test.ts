import { describe, expect, it } from 'vitest'
import { shapeArguments } from '../../src/ink/arguments.ts'
import { openCatalogue } from '../../src/ink/catalogue.ts'

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
