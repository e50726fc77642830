import { integer, type JsonSchema, objectSchema, text } from '../../mcp/schema.ts'
import { type Arguments, ToolFailure } from '../../mcp/tool.ts'
import type { ServiceRules, ServiceSettings } from '../service-settings.ts'

/** What generation 2 allows. */
export const G2_RULES: ServiceRules = {
  memories: ['128Mi', '256Mi', '512Mi', '1024Mi', '2048Mi', '4096Mi', '8192Mi'],
  vcpus: ['0.1', '0.25', '0.5', '1', '2', '4'],
  defaultVcpus: '0.25',
  publishDirectoryPacks: ['railpack', 'static'],
}

/** The longest time after which a service may be told to delete itself: a day. */
const MAX_DESTROY_SECONDS = 86_400

const portSchema = objectSchema({
  name: text('Name'),
  port: integer('Port'),
  'protocol?': text('Protocol', { enum: ['http', 'tcp'], default: 'http' }),
  'visibility?': text('Visibility', { enum: ['public', 'internal'], default: 'public' }),
})

/** Settings of a service, new or changed. */
export const settingsSchema: Readonly<Record<string, JsonSchema>> = {
  'host?': text('Git host', { enum: ['ink', 'github'], default: 'ink' }),
  'branch?': text('Branch', { default: 'main' }),
  'build_pack?': text('Build pack', {
    enum: ['railpack', 'dockerfile', 'static', 'dockercompose'],
    default: 'railpack',
  }),
  'ports?': { type: ['null', 'array'], description: 'Ports; an empty list makes a worker', items: portSchema },
  'env_vars?': {
    type: ['null', 'array'],
    items: objectSchema({ key: text('Name'), value: text('Value') }),
  },
  'memory?': text('Memory', { enum: G2_RULES.memories, default: '256Mi' }),
  'vcpus?': text('vCPUs', { enum: G2_RULES.vcpus, default: '0.25' }),
  'build_command?': text('Build command'),
  'start_command?': text('Start command'),
  'publish_directory?': text('Directory with the built files'),
  'root_directory?': text('Directory of the app'),
  'dockerfile_path?': text('Path of the Dockerfile'),
  'destroy_timeout_seconds?': integer('The service deletes itself so long after the deployment (0 for never)'),
}

/** What the tools answer that start a deployment. */
export const startedSchema = objectSchema({
  serviceId: text('Service'),
  name: text('Name'),
  status: text('Status'),
  'commitHash?': text('Commit'),
  message: text('Note'),
})

/**
 * The time after which a service deletes itself, in seconds from the end of its deployment.
 *
 * @throws ToolFailure when it is out of range
 */
export function destroySeconds(args: Arguments): number | undefined {
  const seconds = args.integer('destroy_timeout_seconds')
  if (seconds === undefined || (seconds >= 0 && seconds <= MAX_DESTROY_SECONDS)) return seconds
  throw new ToolFailure(`invalid destroy_timeout_seconds: must be between 0 and ${MAX_DESTROY_SECONDS}`)
}

/** Settings that were given. */
export function readSettings(args: Arguments): ServiceSettings {
  const ports = args.raw('ports') as { port: number }[] | null | undefined
  const given = (argument: string, name: string) => (args.text(argument) === '' ? {} : { [name]: args.text(argument) })
  return {
    ...given('host', 'host'),
    ...given('repo', 'repo'),
    ...given('branch', 'branch'),
    ...given('build_pack', 'buildPack'),
    ...(ports == null ? {} : { worker: ports.length === 0 }),
    ...(ports?.[0] === undefined ? {} : { port: ports[0].port }),
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
