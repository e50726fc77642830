import type { Account } from '../../accounts.ts'
import { flag, nullableListOf, objectSchema, text } from '../../mcp/schema.ts'
import { type Arguments, logText, optional, projectOf, type Tool, timestamp } from '../../mcp/tool.ts'
import type { PlatformCore } from '../../platform-core.ts'
import { type Service, serviceStatus } from '../../services.ts'
import { customDomainOf } from '../g1/domains.ts'
import { createService, deleteService, findService, startedMessage, updateService } from '../service-operations.ts'
import { logArguments } from '../service-settings.ts'
import { projectArgument, requireWorkspace, workspaceArgument } from './account.ts'
import { destroySeconds, G2_RULES, readSettings, settingsSchema, startedSchema } from './settings.ts'

const resultPort = objectSchema({
  name: text('Name'),
  port: text('Port'),
  protocol: text('Protocol'),
  visibility: text('Visibility'),
  'publicEndpoint?': text('URL'),
})

/** The service tools of generation 2. */
export function g2ServiceTools(core: PlatformCore): Tool[] {
  const find = (args: Arguments, account: Account): Service => {
    requireWorkspace(args, account)
    return findService(core, account, projectOf(args), args.text('name'))
  }
  return [
    {
      name: 'service_create',
      description: 'Create a service from a repository and deploy it',
      input: objectSchema({
        repo: text('Repository name'),
        name: text('Name'),
        ...settingsSchema,
        'regions?': { type: ['null', 'array'], items: { type: 'string' }, description: 'Regions' },
        'subdomain?': text('Subdomain instead of the name'),
        ...projectArgument,
        ...workspaceArgument,
      }),
      output: startedSchema,
      async run(args, account) {
        requireWorkspace(args, account)
        const destroyAfterSeconds = destroySeconds(args)
        const regions = (args.raw('regions') as string[] | null | undefined) ?? []
        const { service, deployment } = await createService(core, account, {
          name: args.text('name'),
          projectRef: projectOf(args),
          region: regions[0] ?? 'eu-central-1',
          settings: readSettings(args),
          rules: G2_RULES,
          ...(args.text('subdomain') === '' ? {} : { subdomain: args.text('subdomain') }),
          ...(destroyAfterSeconds === undefined ? {} : { destroyAfterSeconds }),
        })
        return { serviceId: service.id, name: service.name, status: 'queued', message: startedMessage(deployment) }
      },
    },
    {
      name: 'service_update',
      description: 'Change settings of a service and deploy it anew; with the name alone it is deployed as it is',
      input: objectSchema({
        name: text('Name'),
        'repo?': text('Repository name'),
        ...settingsSchema,
        ...projectArgument,
        ...workspaceArgument,
      }),
      output: startedSchema,
      run(args, account) {
        const service = find(args, account)
        const destroyAfterSeconds = destroySeconds(args)
        if (destroyAfterSeconds !== undefined) service.destroyAfterSeconds = destroyAfterSeconds
        const deployment = updateService(core, account, service, readSettings(args))
        return { serviceId: service.id, name: service.name, status: 'queued', message: startedMessage(deployment) }
      },
    },
    getTool(core, find),
    {
      name: 'service_list',
      description: 'List services, newest first',
      input: objectSchema(workspaceArgument),
      output: objectSchema({
        services: nullableListOf(
          objectSchema({
            serviceId: text('Service'),
            name: text('Name'),
            repo: text('Repository'),
            status: text('Status'),
            ports: nullableListOf(resultPort),
          }),
        ),
      }),
      run(args, account) {
        requireWorkspace(args, account)
        const services = core.services.ofAccount(account.id).slice(0, 100)
        return {
          services: services.map((service) => ({
            serviceId: service.id,
            name: service.name,
            repo: service.config.repo,
            status: serviceStatus(service),
            ports: portsOf(service),
          })),
        }
      },
    },
    {
      name: 'service_delete',
      description: 'Delete a service for good',
      input: objectSchema({ name: text('Name'), ...projectArgument, ...workspaceArgument }),
      output: objectSchema({ serviceId: text('Service'), name: text('Name'), message: text('Note') }),
      run(args, account) {
        const service = find(args, account)
        deleteService(core, service)
        return { serviceId: service.id, name: service.name, message: 'Service deleted successfully' }
      },
    },
  ]
}

function getTool(core: PlatformCore, find: (args: Arguments, account: Account) => Service): Tool {
  return {
    name: 'service_get',
    description: 'Get details of a service',
    input: objectSchema({
      name: text('Name'),
      'include_env?': flag('Include environment variables'),
      ...logArguments,
      ...projectArgument,
      ...workspaceArgument,
    }),
    output: objectSchema({
      serviceId: text('Service'),
      name: text('Name'),
      project: text('Project'),
      repo: text('Repository'),
      branch: text('Branch'),
      status: text('Status'),
      'commitHash?': text('Commit'),
      'errorMessage?': text('Why it failed'),
      ports: nullableListOf(resultPort),
      createdAt: text('Creation'),
      updatedAt: text('Last change'),
      'deployLogs?': text('Build log'),
      'runtimeLogs?': text('Runtime log'),
      'envVars?': nullableListOf(objectSchema({ key: text('Name'), value: text('Value') })),
      'customDomain?': objectSchema({ domain: text('Domain'), status: text('Status'), 'error?': text('Error') }),
    }),
    run(args, account) {
      const service = find(args, account)
      const latest = service.deployments.at(-1)
      return {
        serviceId: service.id,
        name: service.name,
        project: service.projectRef,
        repo: service.config.repo,
        branch: service.config.branch,
        status: serviceStatus(service),
        ...optional('commitHash', latest?.commit),
        ...optional('errorMessage', latest?.errorMessage),
        ports: portsOf(service),
        createdAt: timestamp(service.createdAtMs),
        updatedAt: timestamp(service.updatedAtMs),
        ...optional('deployLogs', logText(service.buildLog.newest(args.integer('deploy_log_lines') ?? 0))),
        ...optional('runtimeLogs', logText(service.runtimeLog.newest(args.integer('runtime_log_lines') ?? 0))),
        ...(args.flag('include_env') ? { envVars: service.config.env } : {}),
        ...optional('customDomain', customDomainOf(core, service)),
      }
    },
  }
}

/** Ports as results show them: the number as text, the URL once there is one. */
function portsOf(service: Service): Record<string, unknown>[] {
  if (service.config.worker) return []
  const port = service.config.buildPack === 'static' ? '8080' : service.config.port
  return [{ name: 'web', port, protocol: 'http', visibility: 'public', ...optional('publicEndpoint', service.url) }]
}
