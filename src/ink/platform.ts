import type { z } from 'zod'
import { accountCalls } from './account-calls.ts'
import { type ServiceSettings, shapeArguments, type WantedArguments } from './arguments.ts'
import type { Call } from './call.ts'
import { openCatalogue, type Purpose } from './catalogue.ts'
import type { Credits } from './credits.ts'
import { dnsCalls, type NewRecord } from './dns-calls.ts'
import { PlatformError, ToolError } from './errors.ts'
import type { AccountLimits } from './limits.ts'
import type { ServiceUsage } from './metrics.ts'
import { databaseCalls, repositoryCalls } from './resource-calls.ts'
import {
  type Accepted,
  type Database,
  type DnsRecord,
  type DomainAnswer,
  type ListedService,
  readResult,
  type Service,
  type TemplateInstance,
  type Zone,
} from './results.ts'
import { serviceCalls } from './service-calls.ts'
import { openSession, type SessionOptions } from './session.ts'
import { templateCalls } from './template-calls.ts'

export type { ServiceSettings } from './arguments.ts'

/** Where on ml.ink: every call that takes these gets them. */
export interface Place {
  project: string
  workspace: string | undefined
}

/** Which parts of a service to read; logs cost the platform time, so they are asked for only when wanted. */
export interface ServiceParts {
  env?: boolean
  deployLogLines?: number
  runtimeLogLines?: number
}

/** A repository on ml.ink's git hosting. The remote carries a password: it must reach no log, argument or file. */
export interface GitAccess {
  remote: string
  created: boolean
}

/** ml.ink, in the words of this project. Names are service names within the {@link Place} that the platform was opened for. */
export interface Platform {
  readonly server: string
  offers(purpose: Purpose): boolean
  /** Whether a service can be told to end itself. */
  readonly canExpire: boolean
  /** Whether calls can be told which workspace they are for. */
  readonly knowsWorkspaces: boolean
  service(name: string, parts: ServiceParts, signal: AbortSignal): Promise<Service | undefined>
  /** All services of the account, newest first; the platform shows 100 at most and has no further pages. */
  services(signal: AbortSignal): Promise<readonly ListedService[]>
  /** What a service uses, over the last hour; undefined when no tool tells. */
  usage(name: string, signal: AbortSignal): Promise<ServiceUsage | undefined>
  createService(
    name: string,
    repo: string,
    branch: string,
    settings: ServiceSettings,
    signal: AbortSignal,
  ): Promise<Accepted>
  updateService(
    name: string,
    changes: ServiceSettings & { branch?: string; repo?: string },
    signal: AbortSignal,
  ): Promise<Accepted>
  /** Asks for deletion and returns before it has happened. `false`: there was no such service. */
  deleteService(name: string, signal: AbortSignal): Promise<boolean>
  /** Push access to a repository, which is made when it does not exist and `create` is set. */
  gitAccess(name: string, create: boolean, signal: AbortSignal): Promise<GitAccess | undefined>
  database(name: string, signal: AbortSignal): Promise<Database | undefined>
  createDatabase(name: string, type: string, signal: AbortSignal): Promise<Database>
  deleteDatabase(name: string, signal: AbortSignal): Promise<boolean>
  /** The instance of that name that has services, with all of its outputs. */
  templateInstance(name: string, signal: AbortSignal): Promise<TemplateInstance | undefined>
  deployTemplate(template: string, name: string, signal: AbortSignal): Promise<void>
  volumes(signal: AbortSignal): Promise<readonly { name: string }[]>
  /** Only one that no service uses can be deleted. `false`: there was no such volume. */
  deleteVolume(name: string, signal: AbortSignal): Promise<boolean>
  addDomain(service: string, domain: string, signal: AbortSignal): Promise<DomainAnswer>
  removeDomain(service: string, signal: AbortSignal): Promise<DomainAnswer>
  dnsRecords(zone: string, signal: AbortSignal): Promise<readonly DnsRecord[]>
  addDnsRecord(record: NewRecord, signal: AbortSignal): Promise<DnsRecord>
  deleteDnsRecord(zone: string, recordId: string, signal: AbortSignal): Promise<void>
  /** The zones delegated to the platform. */
  zones(signal: AbortSignal): Promise<readonly Zone[]>
  account(signal: AbortSignal): Promise<{ name: string | undefined } | undefined>
  projects(signal: AbortSignal): Promise<readonly { name: string; ref: string | undefined }[] | undefined>
  workspaces(signal: AbortSignal): Promise<readonly { slug: string }[] | undefined>
  /** What the account can still spend; undefined when the server has no tool that tells. */
  credits(signal: AbortSignal): Promise<Credits | undefined>
  /** What the account's plan allows; undefined when no tool tells. */
  limits(signal: AbortSignal): Promise<AccountLimits | undefined>
  close(): Promise<void>
}

/** Connects to ml.ink. Close it when done, or the process does not end. */
export async function openPlatform(
  options: SessionOptions & { place: Place; warning: (text: string) => void },
  signal: AbortSignal,
): Promise<Platform> {
  const session = await openSession(options, signal)
  const catalogue = openCatalogue(session.tools)
  const warned = new Set<string>()

  const call = async <T>(
    { purpose, wanted, repeatable, dispensable = [] }: Call,
    schema: z.ZodType<T>,
    callSignal: AbortSignal,
  ): Promise<T> => {
    const tool = catalogue.need(purpose)
    const { args, undeclared } = shapeArguments(tool, { ...wanted, ...options.place })
    for (const missing of undeclared) {
      if (missing === 'workspace' || !(missing in wanted) || dispensable.includes(missing as keyof WantedArguments))
        continue
      const text = `This ml.ink server’s ${tool.name} takes no “${missing}”; the platform’s own value is used instead.`
      if (!warned.has(text)) options.warning(text)
      warned.add(text)
    }
    return readResult(schema, await session.call(tool.name, args, { repeatable, signal: callSignal }), tool.name)
  }

  const createArguments = catalogue.find('createService')?.inputSchema.properties ?? {}
  return {
    server: session.server,
    offers: (purpose) => catalogue.find(purpose) !== undefined,
    canExpire: 'destroy_timeout_seconds' in createArguments,
    knowsWorkspaces: 'workspace_slug' in createArguments || 'workspace' in createArguments,
    ...serviceCalls(call, catalogue),
    ...repositoryCalls(call),
    ...databaseCalls(call, catalogue),
    ...templateCalls(call, catalogue),
    ...accountCalls(call, catalogue),
    ...dnsCalls(call),
    close: () => session.close(),
  }
}

/** Whether an error says that the name is taken, which a service in deletion also causes. */
export function isNameTaken(error: unknown): boolean {
  return error instanceof ToolError && error.reason === 'already-exists'
}

/** Whether an error says that the account may not have more. */
export function isOverQuota(error: unknown): boolean {
  return (error instanceof ToolError && error.reason === 'quota') || isOutOfMoney(error)
}

/** Whether an error says that the account cannot pay, which removing a service does not mend. */
export function isOutOfMoney(error: unknown): boolean {
  if (error instanceof ToolError) return error.reason === 'credits'
  return error instanceof PlatformError && (error.failure === 'payment-required' || error.failure === 'no-credits')
}

/** The repository's `owner/slug`, which the platform reports with a service, from a remote's address. */
export function repositorySlug(remote: string): string {
  return new URL(remote).pathname.replace(/^\//, '').replace(/\.git$/, '')
}
