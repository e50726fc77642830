import { shortId } from '../../identifiers.ts'
import { integer, nullableListOf, objectSchema, text } from '../../mcp/schema.ts'
import { type Tool, timestamp } from '../../mcp/tool.ts'
import type { PlatformCore } from '../../platform-core.ts'
import { requireWorkspace, workspaceArgument } from './account.ts'

interface Entry {
  readonly id: string
  readonly accountId: string
  readonly action: string
  readonly entityType: string
  readonly entityId: string
  readonly atMs: number
}

const CHANGES = /_(create|update|delete|deploy|resize|add|remove|add_record|delete_record)$/

/** The tools of generation 2, with what they change noted in a log, and the tool that shows it. */
export function withActionLog(core: PlatformCore, tools: readonly Tool[]): Tool[] {
  const entries: Entry[] = []
  const noted = tools.map((tool): Tool => {
    const [entityType = ''] = tool.name.split('_')
    if (!CHANGES.test(tool.name)) return tool
    return {
      ...tool,
      async run(args, account) {
        const result = await tool.run(args, account)
        const entityId = String(result.serviceId ?? result.templateInstanceId ?? result.projectId ?? result.name ?? '')
        const action = tool.name.replace('_', '.')
        entries.push({ id: shortId(), accountId: account.id, action, entityType, entityId, atMs: core.nowMs() })
        return result
      },
    }
  })
  return [...noted, logTool(entries)]
}

function logTool(entries: readonly Entry[]): Tool {
  return {
    name: 'action_log_list',
    description: 'Query workspace audit logs, newest first',
    input: objectSchema({
      'entity_type?': text('Kind of thing'),
      'entity_id?': text('Which one'),
      'limit?': integer('Most entries', { default: 50 }),
      'offset?': integer('Entries to leave out', { default: 0 }),
      ...workspaceArgument,
    }),
    output: objectSchema({
      nodes: nullableListOf(
        objectSchema({
          id: text('Entry'),
          userId: text('Who'),
          action: text('What'),
          entityType: text('Kind of thing'),
          entityId: text('Which one'),
          source: text('Where from'),
          createdAt: text('When'),
        }),
      ),
    }),
    run(args, account) {
      requireWorkspace(args, account)
      const wanted = (given: string, actual: string) => given === '' || given === actual
      const own = entries.filter(
        ({ accountId, entityType, entityId }) =>
          accountId === account.id &&
          wanted(args.text('entity_type'), entityType) &&
          wanted(args.text('entity_id'), entityId),
      )
      const from = args.integer('offset') ?? 0
      const shown = own.toReversed().slice(from, from + (args.integer('limit') ?? 50))
      return {
        nodes: shown.map(({ id, accountId, action, entityType, entityId, atMs }) => ({
          id,
          userId: accountId,
          action,
          entityType,
          entityId,
          source: 'mcp',
          createdAt: timestamp(atMs),
        })),
      }
    },
  }
}
