import { integer, type JsonSchema, listOf, objectSchema, text } from '../../mcp/schema.ts'
import type { Arguments } from '../../mcp/tool.ts'
import { G1_RULES, type ServiceSettings } from '../service-settings.ts'

export const projectSchema = text('Project name', { default: 'default' })
const envVar = objectSchema({ key: text('Environment variable name'), value: text('Environment variable value') })

/** Settings of a new service. */
export const settingsSchema: Readonly<Record<string, JsonSchema>> = {
  'host?': text('Git host', { enum: ['ink', 'github'], default: 'ink' }),
  'branch?': text('Branch to deploy', { default: 'main' }),
  'build_pack?': text('Build pack to use', {
    enum: ['railpack', 'dockerfile', 'static', 'dockercompose'],
    default: 'railpack',
  }),
  'port?': integer('Port the application listens on'),
  'env_vars?': { ...listOf(envVar), description: 'Environment variables' },
  'memory?': text('Memory limit', { enum: G1_RULES.memories, default: '256Mi' }),
  'vcpus?': text('Number of vCPUs', { enum: G1_RULES.vcpus, default: '0.5' }),
  'build_command?': text('Build command instead of the detected one'),
  'start_command?': text('Start command instead of the detected one'),
  'publish_directory?': text('Directory with the built static files; the app is built and then served as files'),
  'root_directory?': text('Directory of the app within the repository'),
  'dockerfile_path?': text('Path of the Dockerfile within the root directory'),
}

/** The same settings for an update: nothing has a default, because what is not given does not change. */
export const changesSchema = Object.fromEntries(
  Object.entries(settingsSchema).map(([name, { default: _, ...schema }]) => [name, schema] as const),
)

/** What the tools answer that start a deployment. */
export const startedSchema = objectSchema({
  service_id: text('Service'),
  name: text('Name'),
  status: text('Status'),
  'commit_hash?': text('Commit'),
  message: text('Note'),
})

/** What an update answers. */
export const updatedSchema = objectSchema({
  service_id: text('Service'),
  name: text('Name'),
  status: text('Status'),
  message: text('Note'),
})

/** Settings that were given, an empty text among them: an update stores it. */
export function readSettings(args: Arguments): ServiceSettings {
  const given = (argument: string, name: string) => (args.has(argument) ? { [name]: args.text(argument) } : {})
  const port = args.integer('port')
  return {
    ...given('host', 'host'),
    ...given('repo', 'repo'),
    ...given('branch', 'branch'),
    ...given('build_pack', 'buildPack'),
    ...(port === undefined ? {} : { port }),
    ...(args.has('env_vars') ? { env: args.envVars('env_vars') } : {}),
    ...given('memory', 'memory'),
    ...given('vcpus', 'vcpus'),
    ...given('build_command', 'buildCommand'),
    ...given('start_command', 'startCommand'),
    ...given('publish_directory', 'publishDirectory'),
    ...given('root_directory', 'rootDirectory'),
    ...given('dockerfile_path', 'dockerfilePath'),
  }
}
