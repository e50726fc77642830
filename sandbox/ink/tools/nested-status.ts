import { type JsonSchema, listOf, objectSchema, text } from '../mcp/schema.ts'
import type { Tool } from '../mcp/tool.ts'

const deployment = objectSchema({
  status: text('Status of the latest deployment'),
  'error_message?': text('Why it failed'),
  'logs?': text('Build log'),
})

/**
 * A later shape of generation 1, seen in the platform's own handlers: `get_service` and `list_services` report the status as
 * `deployment.status`, with error and build log beside it, and the runtime log as `runtime.logs`.
 */
export function nestedStatus(tool: Tool): Tool {
  if (tool.name === 'list_services') {
    return {
      ...tool,
      output: nestedListing(tool.output),
      async run(args, account) {
        const { services } = (await tool.run(args, account)) as { services: Record<string, unknown>[] }
        return { services: services.map(({ status, ...rest }) => ({ ...rest, deployment: { status } })) }
      },
    }
  }
  if (tool.name !== 'get_service') return tool
  return {
    ...tool,
    output: nestedOutput(tool.output),
    async run(args, account) {
      const { status, error_message, deploy_logs, runtime_logs, ...rest } = await tool.run(args, account)
      return {
        ...rest,
        deployment: withoutUndefined({ status, error_message, logs: deploy_logs }),
        runtime: withoutUndefined({ status, logs: runtime_logs }),
      }
    },
  }
}

function nestedOutput(output: JsonSchema): JsonSchema {
  const moved = ['status', 'error_message', 'deploy_logs', 'runtime_logs']
  const kept = Object.entries(output.properties ?? {}).filter(([name]) => !moved.includes(name))
  return {
    ...output,
    properties: {
      ...Object.fromEntries(kept),
      deployment,
      runtime: objectSchema({ status: text('Status'), 'logs?': text('Log') }),
    },
    required: (output.required ?? []).filter((name) => !moved.includes(name)),
  }
}

function nestedListing(output: JsonSchema): JsonSchema {
  const item = output.properties?.services?.items ?? {}
  const kept = Object.entries(item.properties ?? {}).filter(([name]) => name !== 'status')
  const nested = {
    ...item,
    properties: { ...Object.fromEntries(kept), deployment },
    required: (item.required ?? []).filter((name) => name !== 'status'),
  }
  return { ...output, properties: { services: listOf(nested) } }
}

function withoutUndefined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
