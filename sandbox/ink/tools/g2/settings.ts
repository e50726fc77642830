import { integer, type JsonSchema, objectSchema, text } from '../../mcp/schema.ts'
import { type Arguments, ToolFailure } from '../../mcp/tool.ts'
import {
  commonSettings,
  envVarSchema,
  readCommonSettings,
  type ServiceRules,
  type ServiceSettings,
} from '../service-settings.ts'

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
export const settingsSchema = {
  ...commonSettings(G2_RULES),
  'ports?': { type: ['null', 'array'], description: 'Ports; an empty list makes a worker', items: portSchema },
  'env_vars?': { type: ['null', 'array'], items: envVarSchema },
  'destroy_timeout_seconds?': integer('The service deletes itself so long after the deployment (0 for never)'),
} satisfies Record<string, JsonSchema>

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

/** Settings that were given; an empty text counts as none. */
export function readSettings(args: Arguments): ServiceSettings {
  const ports = args.raw('ports') as { port: number }[] | null | undefined
  return {
    ...readCommonSettings(args, (argument) => args.text(argument) !== ''),
    ...(ports == null ? {} : { worker: ports.length === 0 }),
    ...(ports?.[0] === undefined ? {} : { port: ports[0].port }),
  }
}
