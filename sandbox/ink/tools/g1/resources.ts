import type { Account } from '../../accounts.ts'
import type { DatabaseResource } from '../../databases/databases.ts'
import { listOf, objectSchema, text } from '../../mcp/schema.ts'
import { type Tool, ToolFailure, timestamp } from '../../mcp/tool.ts'
import type { PlatformCore } from '../../platform-core.ts'

const REGION = 'eu-central'

const nameOnly = objectSchema({ name: text('Name of the resource') })
const listed = { resource_id: text('Resource'), name: text('Name'), type: text('Type'), region: text('Region') }
const credentials = { database_url: text('Address'), auth_token: text('Token') }

/** The resource tools of generation 1; each resource is a real SQLite database behind libSQL's HTTP protocol. */
export function g1ResourceTools(core: PlatformCore): Tool[] {
  return [
    {
      name: 'create_resource',
      description: 'Create a resource, such as a SQLite database; returns its address and token',
      input: objectSchema({
        name: text('Name of the resource'),
        type: text('Type', { enum: ['sqlite'] }),
        'size?': text('Size limit', { default: '100mb' }),
        'region?': text('Region', { enum: [REGION], default: REGION }),
      }),
      output: objectSchema({ ...listed, ...credentials, status: text('Status') }),
      async run(args, account) {
        const name = args.text('name')
        const size = args.text('size') || '100mb'
        if (name === '') throw new ToolFailure('name is required')
        const problem = nameProblem(core, account, name)
        if (problem !== undefined) throw new ToolFailure(`failed to create resource: ${problem}`)
        const database = await core.databases.create({ accountId: account.id, name, size, region: REGION })
        return { ...summary(database), ...credentialsOf(core, account, database), status: 'active' }
      },
    },
    {
      name: 'list_resources',
      description: 'List all resources',
      input: objectSchema({}),
      output: objectSchema({
        resources: listOf(objectSchema({ ...listed, status: text('Status'), created_at: text('Creation') })),
      }),
      run: (_args, account) => ({
        resources: core.databases
          .ofAccount(account.id)
          .slice(0, 100)
          .map((database) => ({ ...summary(database), status: 'active', created_at: timestamp(database.createdAtMs) })),
      }),
    },
    {
      name: 'get_resource',
      description: 'Get details of a resource with its address and token',
      input: nameOnly,
      output: objectSchema({
        ...listed,
        ...credentials,
        status: text('Status'),
        created_at: text('Creation'),
        updated_at: text('Last change'),
      }),
      run(args, account) {
        const database = findDatabase(core, account, args.text('name'))
        const createdAt = timestamp(database.createdAtMs)
        return {
          ...summary(database),
          ...credentialsOf(core, account, database),
          status: 'active',
          created_at: createdAt,
          updated_at: createdAt,
        }
      },
    },
    {
      name: 'delete_resource',
      description: 'Delete a resource for good',
      input: nameOnly,
      output: objectSchema({ resource_id: text('Resource'), name: text('Name'), message: text('Note') }),
      async run(args, account) {
        const database = findDatabase(core, account, args.text('name'))
        await core.databases.remove(database)
        return { resource_id: database.id, name: database.name, message: 'Resource deleted successfully' }
      },
    },
  ]
}

function findDatabase(core: PlatformCore, account: Account, name: string): DatabaseResource {
  if (name === '') throw new ToolFailure('name is required')
  const database = core.databases.find(account.id, name)
  if (database === undefined) throw new ToolFailure(`resource not found: ${name}`)
  return database
}

function summary(database: DatabaseResource): Record<string, unknown> {
  return { resource_id: database.id, name: database.name, type: 'sqlite', region: database.region }
}

function credentialsOf(core: PlatformCore, account: Account, database: DatabaseResource): Record<string, unknown> {
  const address = core.databaseAddress?.(account.username, database.name) ?? database.served.url
  return { database_url: address, auth_token: database.served.authToken }
}

function nameProblem(core: PlatformCore, account: Account, name: string): string | undefined {
  if (name.length < 2) return 'name must be at least 2 characters'
  if (name.length > 50) return 'name must be at most 50 characters'
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) {
    return 'name must start with alphanumeric and contain only alphanumeric, hyphens, or underscores'
  }
  return core.databases.find(account.id, name) && `resource with name '${name}' already exists`
}
