import type { Tool } from '../mcp/tool.ts'
import type { InkProfile } from '../options.ts'
import type { PlatformCore } from '../platform-core.ts'
import { g0Tools } from './g0.ts'
import { g1AccountTools } from './g1/account.ts'
import { g1DomainTools } from './g1/domains.ts'
import { g1RepositoryTools } from './g1/repositories.ts'
import { g1ResourceTools } from './g1/resources.ts'
import { g1ServiceTools } from './g1/services.ts'
import { g2AccountTools } from './g2/account.ts'
import { withActionLog } from './g2/action-log.ts'
import { g2DomainTools } from './g2/domains.ts'
import { g2InsightTools } from './g2/insight.ts'
import { g2ServiceTools } from './g2/services.ts'
import { g2TemplateTools } from './g2/templates.ts'
import { g2VolumeTools } from './g2/volumes.ts'
import { nestedStatus } from './nested-status.ts'

/** Arguments that the profile `unknown-argument` does not declare, and therefore refuses. */
const UNDECLARED = ['root_directory', 'publish_directory', 'dockerfile_path', 'vcpus', 'deploy_log_lines']

/** The tools that a generation of the platform offers. */
export function toolsOf(profile: InkProfile, core: PlatformCore): Tool[] {
  const g1 = [
    ...g1AccountTools(core),
    ...g1RepositoryTools(core),
    ...g1ServiceTools(core),
    ...g1ResourceTools(core),
    ...g1DomainTools(core),
  ]
  const g2 = () =>
    withActionLog(core, [
      ...g2AccountTools(core),
      ...g2ServiceTools(core),
      ...g2DomainTools(core),
      ...g2TemplateTools(core),
      ...g2VolumeTools(core),
      ...(core.insight ? g2InsightTools(core) : []),
    ])
  switch (profile) {
    case 'g0':
      return g0Tools(core, g1)
    case 'g1':
      return g1
    case 'g1-nested':
      return g1.map(nestedStatus)
    case 'g2':
      return g2()
    case 'mixed':
      return [...g1, ...g2().filter((tool) => g1.every(({ name }) => name !== tool.name))]
    case 'unknown-argument':
      return g1.map((tool) => withoutArguments(tool, UNDECLARED))
  }
}

function withoutArguments(tool: Tool, names: readonly string[]): Tool {
  const properties = Object.entries(tool.input.properties ?? {}).filter(([name]) => !names.includes(name))
  return { ...tool, input: { ...tool.input, properties: Object.fromEntries(properties) } }
}
