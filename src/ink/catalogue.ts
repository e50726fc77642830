import * as z from 'zod'
import { refinements, separated, shapeArguments, type WantedArguments } from './arguments.ts'
import { PlatformError, ToolError, type ToolFailure } from './errors.ts'
import { readResult } from './results.ts'
import type { Session, Tool } from './session.ts'

/**
 * What we want done, and under which names the generations of ml.ink's servers offer it. The first name that a server
 * lists wins. Source: tool lists of the public server (G1), of the current one (G2) and of documentation pages.
 */
const names = {
  createService: ['create_service', 'service_create'],
  listServices: ['list_services', 'service_list'],
  getService: ['get_service', 'service_get'],
  updateService: ['update_service', 'service_update'],
  deleteService: ['delete_service', 'service_delete'],
  createRepository: ['create_repo', 'repo_create'],
  getGitToken: ['get_git_token', 'repo_get_token', 'get_git_push_token'],
  createDatabase: ['create_resource'],
  listDatabases: ['list_resources'],
  getDatabase: ['get_resource'],
  deleteDatabase: ['delete_resource'],
  deployTemplate: ['template_deploy'],
  listTemplateInstances: ['template_instance_list'],
  getTemplateInstance: ['template_instance_get'],
  listVolumes: ['volume_list'],
  deleteVolume: ['volume_delete'],
  addDomain: ['add_custom_domain', 'domain_add'],
  removeDomain: ['remove_custom_domain', 'domain_remove'],
  addDnsRecord: ['add_dns_record', 'dns_add_record'],
  deleteDnsRecord: ['delete_dns_record', 'dns_delete_record'],
  listDnsRecords: ['list_dns_records', 'dns_list_records'],
  listZones: ['list_delegations', 'dns_list_zones'],
  listProjects: ['list_projects', 'project_list'],
  listWorkspaces: ['list_workspaces', 'workspace_list'],
  whoami: ['whoami'],
  checkCredits: ['check_credits'],
  serviceMetrics: ['service_metrics', 'get_service_metrics'],
  accountLimits: ['resource_limits', 'get_resource_limits'],
} as const satisfies Record<string, readonly [string, ...string[]]>

/** One thing that ml.ink can do for us, whatever its server calls it. */
export type Purpose = keyof typeof names

/** Every purpose with its names, in the order in which they are looked for. @internal */
export const toolNames: Readonly<Record<Purpose, readonly string[]>> = names

/** The tools of one server, by purpose. */
export type Catalogue = ReturnType<typeof openCatalogue>

/** Resolves every purpose from a server's `tools/list`. */
export function openCatalogue(tools: readonly Tool[]) {
  const byName = new Map(tools.map((tool) => [tool.name, tool]))
  const find = (purpose: Purpose): Tool | undefined =>
    names[purpose].map((name) => byName.get(name)).find((tool) => tool !== undefined)
  return {
    find,
    /** @throws PlatformError `missing-tool` when the server offers nothing for this purpose */
    need: (purpose: Purpose): Tool => {
      const tool = find(purpose)
      if (tool) return tool
      throw new PlatformError(
        'missing-tool',
        `This ml.ink server offers no tool to ${separated(purpose, ' ')} (looked for ${names[purpose].join(', ')})`,
        {
          hint: 'Check the `endpoint` input. If ml.ink has renamed its tools, a newer version of this action knows the new names.',
        },
      )
    },
  }
}

type Call = <T>(purpose: Purpose, wanted: WantedArguments, schema: z.ZodType<T>, signal: AbortSignal) => Promise<T>

/** Calls tools: names, arguments and results are those of whatever generation the server is. */
export interface Caller {
  /** For what does no more when asked twice than when asked once: reading, deleting, and making what is there already. */
  readonly repeatable: Call
  /** For what must not be carried out twice. */
  readonly once: Call
}

/** @param scope goes with every call of a tool that takes it */
export function openCaller(
  session: Session,
  catalogue: Catalogue,
  scope: Pick<WantedArguments, 'project' | 'workspace'>,
  warning: (text: string) => void,
): Caller {
  const warned = new Set<string>()
  const calling =
    (repeatable: boolean): Call =>
    async (purpose, wanted, schema, signal) => {
      const tool = catalogue.need(purpose)
      const { args, undeclared } = shapeArguments(tool, { ...wanted, ...scope })
      for (const missing of undeclared) {
        if (!(missing in wanted) || refinements.has(missing)) continue
        const text = `This ml.ink server’s ${tool.name} takes no “${missing}”; the platform’s own value is used instead.`
        if (!warned.has(text)) warning(text)
        warned.add(text)
      }
      return readResult(schema, await session.call(tool.name, args, { repeatable, signal }), tool.name)
    }
  return { repeatable: calling(true), once: calling(false) }
}

/** What a call yields, or undefined when the platform says that there is no such thing. */
export async function unlessMissing<T>(missing: ToolFailure, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ToolError && error.reason === missing) return undefined
    throw error
  }
}

/** An answer of which nothing is read. */
export const anything = z.looseObject({})
