import { integer, listOf, objectSchema, text } from '../../mcp/schema.ts'
import type { Arguments } from '../../mcp/tool.ts'
import {
  commonSettings,
  envVarSchema,
  G1_RULES,
  readCommonSettings,
  type ServiceSettings,
} from '../service-settings.ts'

export const projectSchema = text('Project name', { default: 'default' })

/** Settings of a new service. */
export const settingsSchema = {
  ...commonSettings(G1_RULES),
  'port?': integer('Port the application listens on'),
  'env_vars?': { ...listOf(envVarSchema), description: 'Environment variables' },
}

/** The same settings for an update: nothing has a default, because what is not given does not change. */
export const changesSchema = Object.fromEntries(
  Object.entries(settingsSchema).map(([name, { default: _, ...schema }]) => [name, schema] as const),
)

const updated = { service_id: text('Service'), name: text('Name'), status: text('Status'), message: text('Note') }

/** What an update answers. */
export const updatedSchema = objectSchema(updated)

/** What the tools answer that start a deployment. */
export const startedSchema = objectSchema({ ...updated, 'commit_hash?': text('Commit') })

/** Settings that were given, an empty text among them: an update stores it. */
export function readSettings(args: Arguments): ServiceSettings {
  const port = args.integer('port')
  return { ...readCommonSettings(args, args.has), ...(port === undefined ? {} : { port }) }
}
