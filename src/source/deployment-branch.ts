/** What the name of a deployment's branch says: `ink/<target>/<source sha>[-<first 8 of the tree sha>]`. */
export interface DeploymentBranch {
  /** `production/<service>` or `pr-<n>/<service>`; earlier releases named no service. */
  readonly target: string
  readonly sourceSha: string
  /** There when the tree was not the commit's own. */
  readonly suffix?: string
}

// 64 digits: repositories with SHA-256 object names.
const deploymentBranch =
  /^ink\/((?:production|pr-[1-9]\d*)(?:\/[a-z0-9-]{1,63})?)\/([0-9a-f]{40}|[0-9a-f]{64})(?:-([0-9a-f]{8}))?$/

/** Reads a short branch name; undefined when it is not a deployment's. */
export function parseDeploymentBranch(name: string): DeploymentBranch | undefined {
  const [, target, sourceSha, suffix] = deploymentBranch.exec(name) ?? []
  if (target === undefined || sourceSha === undefined) return undefined
  return suffix === undefined ? { target, sourceSha } : { target, sourceSha, suffix }
}
