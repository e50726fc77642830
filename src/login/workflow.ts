/** Where the workflow belongs, from the repository's root. */
export const WORKFLOW_PATH = '.github/workflows/deploy.yml'

/** The repository secret that the workflow takes the key from. */
export const SECRET_NAME = 'INK_API_KEY'

/**
 * The workflow that the README recommends, which is made of this.
 * @param productionBranch a push to it goes to production
 */
export function recommendedWorkflow(productionBranch = 'main'): string {
  // In quotes a branch is a name whatever it looks like, where `1.0` or `yes` would be something else; and of what git
  // allows in a name, these characters make a pattern of it.
  const branch = productionBranch === 'main' ? 'main' : JSON.stringify(productionBranch.replace(/[!+\]]/g, '\\$&'))
  return `# ${WORKFLOW_PATH}
name: Deploy
on:
  push:
    branches: [${branch}]
  pull_request:
    types: [opened, reopened, synchronize, closed]

permissions:
  contents: read
  pull-requests: write
  deployments: write

concurrency:
  group: ink-deploy-\${{ github.workflow }}-\${{ github.event.pull_request.number || github.ref }}
  cancel-in-progress: \${{ github.event_name == 'pull_request' }}

jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - uses: OWNER/ink-deploy@v1
        with:
          api-key: \${{ secrets.${SECRET_NAME} }}
`
}
