import type { Account } from '../../accounts.ts'
import { integer, nullableListOf, objectSchema, text } from '../../mcp/schema.ts'
import { type Arguments, projectOf, type Tool, ToolFailure } from '../../mcp/tool.ts'
import type { PlatformCore } from '../../platform-core.ts'
import type { Volume } from '../../volumes.ts'
import { projectArgument, requireWorkspace, workspaceArgument } from './account.ts'

const volumeSchema = objectSchema({
  name: text('Name'),
  mountPath: text('Where it is mounted'),
  sizeGi: integer('Size in GiB'),
  status: text('Status'),
})

/** The volume tools of generation 2. */
export function g2VolumeTools(core: PlatformCore): Tool[] {
  const find = (args: Arguments, account: Account): Volume => {
    requireWorkspace(args, account)
    const volume = core.volumes.find(account.id, projectOf(args), args.text('name'))
    if (volume === undefined) throw new ToolFailure(`volume not found: ${args.text('name')}`)
    return volume
  }
  const scope = { ...projectArgument, ...workspaceArgument }
  return [
    {
      name: 'volume_list',
      description: 'List persistent volumes in a workspace and project',
      input: objectSchema(scope),
      output: objectSchema({ volumes: nullableListOf(volumeSchema) }),
      run(args, account) {
        requireWorkspace(args, account)
        return { volumes: core.volumes.ofProject(account.id, projectOf(args)).map(view) }
      },
    },
    {
      name: 'volume_resize',
      description: 'Expand a persistent volume (grow only)',
      input: objectSchema({ name: text('Name'), size_gi: integer('New size in GiB'), ...scope }),
      output: volumeSchema,
      run(args, account) {
        const volume = find(args, account)
        const sizeGi = args.integer('size_gi') ?? 0
        if (sizeGi <= volume.sizeGi) throw new ToolFailure(`volume can only grow: it has ${volume.sizeGi} GiB`)
        volume.sizeGi = sizeGi
        return view(volume)
      },
    },
    {
      name: 'volume_delete',
      description: 'Permanently delete a detached volume',
      input: objectSchema({ name: text('Name'), ...scope }),
      output: objectSchema({ name: text('Name'), message: text('Note') }),
      run(args, account) {
        const volume = find(args, account)
        if (volume.attachedTo !== undefined)
          throw new ToolFailure(`volume ${volume.name} is attached to a service; only detached volumes can be deleted`)
        core.volumes.remove(volume)
        return { name: volume.name, message: 'Volume deleted' }
      },
    },
  ]
}

function view({ name, mountPath, sizeGi, attachedTo }: Volume): Record<string, unknown> {
  return { name, mountPath, sizeGi, status: attachedTo === undefined ? 'detached' : 'attached' }
}
