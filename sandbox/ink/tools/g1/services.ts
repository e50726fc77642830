import { flag, listOf, nullable, objectSchema, text } from '../../mcp/schema.ts'
import { logText, optional, projectOf, type Tool, ToolFailure, timestamp } from '../../mcp/tool.ts'
import type { PlatformCore } from '../../platform-core.ts'
import { type EnvVar, type Service, serviceStatus } from '../../services.ts'
import {
  createService,
  deleteService,
  deploy,
  findService,
  startedMessage,
  UPDATED_MESSAGE,
  updateService,
} from '../service-operations.ts'
import { G1_RULES, logArguments } from '../service-settings.ts'
import { customDomainOf } from './domains.ts'
import { findRepository } from './repositories.ts'
import { changesSchema, projectSchema, readSettings, settingsSchema, startedSchema, updatedSchema } from './settings.ts'

/** The service tools of generation 1. */
export function g1ServiceTools(core: PlatformCore): Tool[] {
  return [
    {
      name: 'create_service',
      description: 'Create a service from a repository and deploy it',
      input: objectSchema({
        repo: text("Repository name (e.g. 'ink/myapp')"),
        name: text('Name of the service'),
        ...settingsSchema,
        'region?': text('Region', { enum: ['eu-central-1'], default: 'eu-central-1' }),
        'project?': projectSchema,
      }),
      output: objectSchema({
        service_id: text('Service'),
        name: text('Name'),
        status: text('Status'),
        repo: text('Repository'),
        'commit_hash?': text('Commit'),
        message: text('Note'),
      }),
      async run(args, account) {
        const { service, deployment } = await createService(core, account, {
          name: args.text('name'),
          projectRef: projectOf(args),
          region: args.text('region') || 'eu-central-1',
          settings: readSettings(args),
          rules: G1_RULES,
        })
        return {
          service_id: service.id,
          name: service.name,
          status: 'queued',
          repo: service.config.repo,
          message: startedMessage(deployment),
        }
      },
    },
    {
      name: 'update_service',
      description: 'Change settings of a service and deploy it anew. Settings that are not given stay as they are.',
      input: objectSchema({
        name: text('Name of the service'),
        'project?': projectSchema,
        'repo?': text("Repository name (e.g. 'ink/myapp')"),
        ...changesSchema,
      }),
      output: updatedSchema,
      run(args, account) {
        const settings = readSettings(args)
        // The repository is looked for first, and naming it by its short name makes the project.
        if (settings.repo !== undefined) findRepository(core, account, projectOf(args), settings.repo)
        const service = findService(core, account, projectOf(args), args.text('name'))
        updateService(core, account, service, settings)
        return { service_id: service.id, name: service.name, status: 'queued', message: UPDATED_MESSAGE }
      },
    },
    {
      name: 'redeploy_service',
      description: 'Deploy a service anew from the latest code of its branch',
      input: objectSchema({ name: text('Name of the service'), 'project?': projectSchema }),
      output: startedSchema,
      run(args, account) {
        if (args.text('name') === '') throw new ToolFailure('name is required')
        const { ref } = core.accounts.projectByRef(account.id, projectOf(args))
        const service = core.services.find(account.id, ref, args.text('name'))
        if (service === undefined) throw new ToolFailure(`service not found: ${args.text('name')}`)
        const deployment = deploy(core, service, 'manual')
        return { service_id: service.id, name: service.name, status: 'queued', message: startedMessage(deployment) }
      },
    },
    getServiceTool(core),
    {
      name: 'list_services',
      description: 'List all services, newest first',
      input: objectSchema({}),
      output: objectSchema({
        services: listOf(
          objectSchema({
            service_id: text('Service'),
            name: text('Name'),
            repo: text('Repository'),
            status: text('Status'),
            'url?': nullable(text('URL')),
          }),
        ),
      }),
      run(_args, account) {
        const services = core.services.ofAccount(account.id).slice(0, 100)
        return { services: services.map((service) => listing(service)) }
      },
    },
    {
      name: 'delete_service',
      description: 'Delete a service for good',
      input: objectSchema({ name: text('Name of the service'), 'project?': projectSchema }),
      output: objectSchema({ service_id: text('Service'), name: text('Name'), message: text('Note') }),
      run(args, account) {
        const service = findService(core, account, projectOf(args), args.text('name'))
        deleteService(core, service)
        return { service_id: service.id, name: service.name, message: 'Service deleted successfully' }
      },
    },
  ]
}

function getServiceTool(core: PlatformCore): Tool {
  return {
    name: 'get_service',
    description: 'Get details of a service: the status of its latest deployment, its URL, its logs',
    input: objectSchema({
      name: text('Name of the service'),
      'project?': projectSchema,
      'include_env?': flag('Include environment variables'),
      ...logArguments,
    }),
    output: objectSchema({
      service_id: text('Service'),
      name: text('Name'),
      project: text('Project'),
      repo: text('Repository'),
      branch: text('Branch'),
      status: text('Status of the latest deployment'),
      'error_message?': nullable(text('Why it failed')),
      'url?': nullable(text('URL')),
      created_at: text('Creation'),
      updated_at: text('Last change'),
      'deploy_logs?': text('Build log'),
      'runtime_logs?': text('Runtime log'),
      'env_vars?': listOf(objectSchema({ key: text('Name'), 'value?': text('Value') })),
      'custom_domain?': nullable(
        objectSchema({ domain: text('Domain'), status: text('Status'), 'error?': nullable(text('Error')) }),
      ),
    }),
    run(args, account) {
      const service = findService(core, account, projectOf(args), args.text('name'))
      return {
        service_id: service.id,
        name: service.name,
        project: service.projectRef,
        repo: service.config.repo,
        branch: service.config.branch,
        status: serviceStatus(service),
        ...optional('error_message', service.deployments.at(-1)?.errorMessage),
        ...optional('url', service.url),
        created_at: timestamp(service.createdAtMs),
        updated_at: timestamp(service.updatedAtMs),
        ...optional('deploy_logs', logText(service.buildLog.newest(args.integer('deploy_log_lines') ?? 0))),
        ...optional('runtime_logs', logText(service.runtimeLog.newest(args.integer('runtime_log_lines') ?? 0))),
        ...(args.flag('include_env') && service.config.env.length > 0
          ? { env_vars: service.config.env.map(told) }
          : {}),
        ...optional('custom_domain', customDomainOf(core, service)),
      }
    },
  }
}

/** A variable as the platform tells it: an empty value is left out. */
function told({ key, value }: EnvVar): Record<string, unknown> {
  return value === '' ? { key } : { key, value }
}

function listing(service: Service): Record<string, unknown> {
  return {
    service_id: service.id,
    name: service.name,
    repo: service.config.repo,
    status: serviceStatus(service),
    ...optional('url', service.url),
  }
}
