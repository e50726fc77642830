import type { Account } from '../accounts.ts'
import type { PlatformCore } from '../platform-core.ts'
import { type Service, serviceStatus } from '../services.ts'
import { optional, projectOf } from './g1-services.ts'
import { projectArgument, requireWorkspace, workspaceArgument } from './g2-account.ts'
import { createService, deleteService, findService, startedMessage, updateService } from './service-operations.ts'
import type { ServiceRules, ServiceSettings } from './service-settings.ts'
import {
  type Arguments,
  flag,
  integer,
  type JsonSchema,
  listOf,
  objectSchema,
  type Tool,
  ToolFailure,
  text,
  timestamp,
} from './tool.ts'

const RULES: ServiceRules = {
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

const settings: Readonly<Record<string, JsonSchema>> = {
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
  'memory?': text('Memory', { enum: RULES.memories, default: '256Mi' }),
  'vcpus?': text('vCPUs', { enum: RULES.vcpus, default: '0.25' }),
  'build_command?': text('Build command'),
  'start_command?': text('Start command'),
  'publish_directory?': text('Directory with the built files'),
  'root_directory?': text('Directory of the app'),
  'dockerfile_path?': text('Path of the Dockerfile'),
  'destroy_timeout_seconds?': integer('The service deletes itself so long after the deployment (0 for never)'),
}

const started = objectSchema({
  serviceId: text('Service'),
  name: text('Name'),
  status: text('Status'),
  'commitHash?': text('Commit'),
  message: text('Note'),
})

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
        ...settings,
        'regions?': { type: ['null', 'array'], items: { type: 'string' }, description: 'Regions' },
        'subdomain?': text('Subdomain instead of the name'),
        ...projectArgument,
        ...workspaceArgument,
      }),
      output: started,
      async run(args, account) {
        requireWorkspace(args, account)
        const destroyAfterSeconds = destroySeconds(args)
        const regions = (args.raw('regions') as string[] | null | undefined) ?? []
        const { service, deployment } = await createService(core, account, {
          name: args.text('name'),
          projectRef: projectOf(args),
          region: regions[0] ?? 'eu-central-1',
          settings: readSettings(args),
          rules: RULES,
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
        ...settings,
        ...projectArgument,
        ...workspaceArgument,
      }),
      output: started,
      run(args, account) {
        const service = find(args, account)
        const destroyAfterSeconds = destroySeconds(args)
        if (destroyAfterSeconds !== undefined) service.destroyAfterSeconds = destroyAfterSeconds
        const deployment = updateService(core, account, service, readSettings(args), RULES)
        return { serviceId: service.id, name: service.name, status: 'queued', message: startedMessage(deployment) }
      },
    },
    getTool(find),
    {
      name: 'service_list',
      description: 'List services, newest first',
      input: objectSchema(workspaceArgument),
      output: objectSchema({
        services: listOf(
          objectSchema({
            serviceId: text('Service'),
            name: text('Name'),
            repo: text('Repository'),
            status: text('Status'),
            ports: listOf(resultPort),
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

function getTool(find: (args: Arguments, account: Account) => Service): Tool {
  return {
    name: 'service_get',
    description: 'Get details of a service',
    input: objectSchema({
      name: text('Name'),
      'include_env?': flag('Include environment variables'),
      'deploy_log_lines?': integer('Number of build log lines (at most 500)', { default: 0 }),
      'runtime_log_lines?': integer('Number of runtime log lines (at most 500)', { default: 0 }),
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
      ports: listOf(resultPort),
      createdAt: text('Creation'),
      updatedAt: text('Last change'),
      'deployLogs?': text('Build log'),
      'runtimeLogs?': text('Runtime log'),
      'envVars?': listOf(objectSchema({ key: text('Name'), value: text('Value') })),
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
        ...logs('deployLogs', service.buildLog.newest(args.integer('deploy_log_lines') ?? 0)),
        ...logs('runtimeLogs', service.runtimeLog.newest(args.integer('runtime_log_lines') ?? 0)),
        ...(args.flag('include_env') ? { envVars: service.config.env } : {}),
        ...optional('customDomain', service.customDomain),
      }
    },
  }
}

const logs = (name: string, lines: readonly string[]) => (lines.length === 0 ? {} : { [name]: lines.join('\n') })

function destroySeconds(args: Arguments): number | undefined {
  const seconds = args.integer('destroy_timeout_seconds')
  if (seconds === undefined || (seconds >= 0 && seconds <= MAX_DESTROY_SECONDS)) return seconds
  throw new ToolFailure(`invalid destroy_timeout_seconds: must be between 0 and ${MAX_DESTROY_SECONDS}`)
}

/** Ports as results show them: the number as text, the URL once there is one. */
function portsOf(service: Service): Record<string, unknown>[] {
  if (service.config.worker) return []
  const port = service.config.buildPack === 'static' ? '8080' : service.config.port
  return [{ name: 'web', port, protocol: 'http', visibility: 'public', ...optional('publicEndpoint', service.url) }]
}

function readSettings(args: Arguments): ServiceSettings {
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
