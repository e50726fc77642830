import type { Account } from '../../accounts.ts'
import { objectSchema, text } from '../../mcp/schema.ts'
import { projectOf, type Tool, timestamp } from '../../mcp/tool.ts'
import type { PlatformCore } from '../../platform-core.ts'
import { findService } from '../service-operations.ts'
import { projectArgument, requireWorkspace, workspaceArgument } from './account.ts'

const RANGES = ['ONE_HOUR', 'SIX_HOURS', 'TWENTY_FOUR_HOURS', 'SEVEN_DAYS', 'THIRTY_DAYS']

/**
 * Metrics and limits. The platform is known to have them in its GraphQL interface (`serviceMetrics`, `resourceLimits`, read
 * by its official clients); as tools they bear the names that generation 2 makes of such fields.
 */
export function g2InsightTools(core: PlatformCore): Tool[] {
  return [
    {
      name: 'service_metrics',
      description: 'CPU and memory of a service',
      input: objectSchema({
        name: text('Name'),
        'time_range?': text('Range', { enum: RANGES, default: 'ONE_HOUR' }),
        ...projectArgument,
        ...workspaceArgument,
      }),
      output: { type: 'object' },
      run(args, account) {
        requireWorkspace(args, account)
        const service = findService(core, account, projectOf(args), args.text('name'))
        const used = core.usage.get(service.name)
        const series = (value: number | undefined) => ({
          dataPoints: value === undefined ? [] : [{ timestamp: timestamp(core.nowMs()), value }],
        })
        return {
          cpuUsage: series(used?.vcpus),
          memoryUsageMB: series(used?.memoryMb),
          memoryLimitMB: Number.parseInt(service.config.memory, 10),
          cpuLimitVCPUs: Number(service.config.vcpus),
        }
      },
    },
    {
      name: 'resource_limits',
      description: 'What the account may have',
      input: objectSchema(workspaceArgument),
      output: { type: 'object' },
      run(args, account) {
        requireWorkspace(args, account)
        return {
          tier: 'free',
          maxVcpus: 8,
          maxMemoryMi: 8192,
          maxServices: Number.isFinite(core.maxServices) ? core.maxServices : 0,
          usage: { services: countOf(core, account) },
        }
      },
    },
  ]
}

function countOf(core: PlatformCore, account: Account): number {
  return core.services.ofAccount(account.id).length
}
