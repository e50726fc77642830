import type { Account } from '../../accounts.ts'
import { dnsLabel, shortId } from '../../identifiers.ts'
import { type JsonSchema, nullableListOf, objectSchema, text } from '../../mcp/schema.ts'
import { type Arguments, projectOf, type Tool, ToolFailure, timestamp } from '../../mcp/tool.ts'
import type { PlatformCore } from '../../platform-core.ts'
import { type Deployment, type Service, serviceStatus } from '../../services.ts'
import { endpointOf, outputsOf, TEMPLATES, type TemplateInstance } from '../../templates.ts'
import { checkQuota } from '../service-operations.ts'
import { NEW_SERVICE } from '../service-settings.ts'
import { projectArgument, requireWorkspace, workspaceArgument } from './account.ts'
import { G2_RULES } from './settings.ts'

const MASKED = '********'
const VARIABLES = ['database_name', 'username', 'password', 'storage_gi']

const keyAndValue = objectSchema({ key: text('Name'), value: text('Value') })
const endpoint = objectSchema({
  name: text('Name'),
  port: text('Port'),
  protocol: text('Protocol'),
  visibility: text('Visibility'),
  internalEndpoint: text('Address among services'),
  'publicEndpoint?': text('Address for everybody'),
})
const deployedService = objectSchema({
  serviceId: text('Service'),
  key: text('Key in the template'),
  name: text('Name'),
  status: text('Status'),
  endpoints: nullableListOf(endpoint),
})
const output = objectSchema({
  key: text('Key'),
  label: text('Label'),
  description: text('Description'),
  kind: text('Kind'),
  sensitive: { type: 'boolean' },
  value: text('Value'),
})
const instanceSchema: JsonSchema = objectSchema({
  id: text('Instance'),
  templateSlug: text('Template'),
  projectId: text('Project'),
  name: text('Name'),
  status: text('Status'),
  services: nullableListOf(deployedService),
  outputs: nullableListOf(output),
  createdAt: text('Creation'),
  updatedAt: text('Last change'),
})

/** The template tools of generation 2. There is none to delete an instance: its services and volumes are deleted instead. */
export function g2TemplateTools(core: PlatformCore): Tool[] {
  return [
    {
      name: 'template_deploy',
      description: 'Deploy a database or infrastructure template such as Postgres, Redis, MySQL, or MongoDB',
      input: objectSchema({
        template: text('Slug of the template'),
        name: text('Name of the instance'),
        'variables?': { type: ['null', 'array'], items: keyAndValue },
        'regions?': { type: ['null', 'array'], items: { type: 'string' } },
        ...projectArgument,
        ...workspaceArgument,
      }),
      output: objectSchema({
        templateInstanceId: text('Instance'),
        projectId: text('Project'),
        services: nullableListOf(deployedService),
        outputs: nullableListOf(output),
      }),
      run(args, account) {
        requireWorkspace(args, account)
        const instance = deployTemplate(core, account, args)
        const { id, projectId, services, outputs } = view(core, instance)
        return { templateInstanceId: id, projectId, services, outputs }
      },
    },
    {
      name: 'template_instance_list',
      description: 'List deployed template instances; sensitive outputs are masked',
      input: objectSchema({ ...projectArgument, ...workspaceArgument }),
      output: objectSchema({ instances: nullableListOf(instanceSchema) }),
      run(args, account) {
        requireWorkspace(args, account)
        const mask = (instance: TemplateInstance): TemplateInstance => ({
          ...instance,
          outputs: instance.outputs.map((one) => (one.sensitive ? { ...one, value: MASKED } : one)),
        })
        const instances = core.templates.ofProject(account.id, projectOf(args))
        return { instances: instances.map((instance) => view(core, mask(instance))) }
      },
    },
    {
      name: 'template_instance_get',
      description: 'Read a template instance and its persisted outputs',
      input: objectSchema({ id: text('Instance'), ...workspaceArgument }),
      output: instanceSchema,
      run(args, account) {
        requireWorkspace(args, account)
        const instance = core.templates.find(account.id, args.text('id'))
        if (instance === undefined) throw new ToolFailure(`template instance not found: ${args.text('id')}`)
        return view(core, instance)
      },
    },
  ]
}

function deployTemplate(core: PlatformCore, account: Account, args: Arguments): TemplateInstance {
  const name = args.text('name')
  const template = TEMPLATES.find(({ slug }) => slug === args.text('template'))
  if (template === undefined) throw new ToolFailure(`template not found: ${args.text('template')}`)
  if (name === '') throw new ToolFailure('name is required')
  const variables = (args.raw('variables') as { key: string }[] | null | undefined) ?? []
  const unknown = variables.find(({ key }) => !VARIABLES.includes(key))
  if (unknown !== undefined) throw new ToolFailure(`unknown template variable: ${unknown.key}`)
  const project = core.accounts.projectByRef(account.id, projectOf(args))
  if (core.services.find(account.id, project.ref, name) !== undefined)
    throw new ToolFailure(`failed to deploy template: service "${name}" already exists in this project`)
  checkQuota(core, account)
  const service = core.services.add({
    accountId: account.id,
    projectId: project.id,
    projectRef: project.ref,
    name,
    region: 'eu-central-1',
    label: dnsLabel(name),
    config: { ...NEW_SERVICE, vcpus: G2_RULES.defaultVcpus, buildPack: 'image', repo: '', branch: '', worker: true },
  })
  start(core, service)
  const { id: serviceId } = service
  core.volumes.add({
    name: `${name}-data`,
    accountId: account.id,
    projectRef: project.ref,
    mountPath: template.mountPath,
    sizeGi: 1,
    attachedTo: serviceId,
  })
  const outputs = outputsOf(template, name)
  return core.templates.add({ accountId: account.id, projectRef: project.ref, template, name, service, outputs })
}

/** An image is pulled and started, which takes as long as rolling out does. */
function start(core: PlatformCore, service: Service): void {
  const deployment: Deployment = {
    id: shortId(),
    trigger: 'api',
    triggerRef: '',
    config: service.config,
    createdAtMs: core.nowMs(),
    status: 'deploying',
  }
  service.deployments.push(deployment)
  const failing = core.faults.strike('rollout.unhealthy') !== undefined
  core.later(core.timing.queueMs + core.timing.rolloutMs, () => {
    if (deployment.status === 'deploying') deployment.status = failing ? 'failed' : 'active'
  })
}

function view(core: PlatformCore, { id, template, name, service, outputs, createdAtMs, projectRef }: TemplateInstance) {
  const there = core.services.find(service.accountId, projectRef, service.name) === service
  const address = endpointOf(template, name)
  const endpoints = [
    {
      name: template.slug,
      port: String(template.port),
      protocol: 'tcp',
      visibility: 'public',
      internalEndpoint: `${name}.internal:${template.port}`,
      publicEndpoint: address,
    },
  ]
  const status = serviceStatus(service)
  return {
    id,
    templateSlug: template.slug,
    projectId: service.projectId,
    name,
    status: there ? status : 'removed',
    services: there ? [{ serviceId: service.id, key: template.slug, name: service.name, status, endpoints }] : [],
    outputs,
    createdAt: timestamp(createdAtMs),
    updatedAt: timestamp(createdAtMs),
  }
}
