import { always, type Recogniser } from '../recogniser.ts'

const BUILD = ['build'] as const

/** Dependencies with npm, pnpm, Yarn and Bun. */
export const JAVASCRIPT_PACKAGE_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'npm/broken-package-json',
    tool: 'npm',
    in: BUILD,
    pattern: /^npm (?:error|ERR!) code EJSONPARSE/,
    cause: always('package.json is not valid JSON'),
    hint: always('Mend the syntax of package.json; commas after the last entry and comments are not allowed there.'),
  },
  {
    name: 'npm/no-lock-file',
    tool: 'npm',
    in: BUILD,
    pattern: /^npm (?:error|ERR!) (?:The )?`?npm ci`? command can only install with an existing package-lock\.json/,
    cause: always('npm ci found no package-lock.json'),
    hint: always('Run `npm install` and commit package-lock.json (look whether .gitignore excludes it).'),
  },
  {
    name: 'npm/lock-out-of-step',
    tool: 'npm',
    in: BUILD,
    pattern: /^npm (?:error|ERR!) .*package\.json and package-lock\.json.*in sync/,
    cause: ({ find }) => {
      const missing = find(/(?:Missing|Invalid): (?<missing>.+?)(?: from lock file|$)/, 8)?.missing
      return `package-lock.json does not match package.json${missing === undefined ? '' : ` (${missing})`}`
    },
    hint: always('Run `npm install` and commit package-lock.json.'),
  },
  {
    name: 'npm/no-such-version',
    tool: 'npm',
    in: BUILD,
    pattern: /^npm (?:error|ERR!) notarget No matching version found for (?<package>\S+?)\.?$/,
    cause: ({ groups }) => `npm finds no version ${groups.package}`,
    hint: always('Correct the version in package.json, then run `npm install` and commit the lock file.'),
  },
  {
    name: 'npm/no-such-package',
    tool: 'npm',
    in: BUILD,
    pattern: /^npm (?:error|ERR!) 404\s+(?:The requested resource )?'(?<package>[^']+)'/,
    cause: ({ groups }) => `npm finds no package ${groups.package}, or may not read it`,
    hint: always(
      'Check the spelling in package.json. For a private package pass the registry token with `env` and use it in .npmrc.',
    ),
  },
  {
    name: 'npm/peer-conflict',
    tool: 'npm',
    in: BUILD,
    pattern: /^npm (?:error|ERR!) (?:code ERESOLVE|ERESOLVE )/,
    cause: ({ find }) => {
      const peer = find(/peer (?<peer>.+) from (?<by>\S+)/, 20)
      return peer === undefined
        ? 'npm cannot resolve the dependency tree'
        : `npm cannot resolve the dependency tree: ${peer.by} wants ${peer.peer}`
    },
    hint: always('Bring the two to versions that go together; `legacy-peer-deps=true` in .npmrc accepts the conflict.'),
  },
  {
    name: 'npm/wrong-engine',
    tool: 'npm',
    in: BUILD,
    pattern: /^npm (?:error|ERR!) code EBADENGINE/,
    cause: ({ find }) => {
      const required = find(/Required:\s*(?<required>.+)/, 10)?.required
      return `The Node.js or npm version does not suit${required === undefined ? '' : `: ${required.replace(/[{}"]/g, '').replace(':', ' ')} is required`}`
    },
    hint: always('Name a version that the platform has in `engines` of package.json, or in .node-version.'),
  },
  {
    name: 'pnpm/lock-out-of-step',
    tool: 'pnpm',
    in: BUILD,
    pattern: /ERR_PNPM_(?:OUTDATED_LOCKFILE|LOCKFILE_CONFIG_MISMATCH|LOCKFILE_BREAKING_CHANGE|BROKEN_LOCKFILE)/,
    cause: always('pnpm-lock.yaml does not match package.json'),
    hint: always('Run `pnpm install` and commit pnpm-lock.yaml.'),
  },
  {
    name: 'pnpm/no-lock-file',
    tool: 'pnpm',
    in: BUILD,
    pattern: /ERR_PNPM_NO_LOCKFILE/,
    cause: always('pnpm found no pnpm-lock.yaml'),
    hint: always('Run `pnpm install` and commit pnpm-lock.yaml.'),
  },
  {
    name: 'pnpm/cannot-resolve',
    tool: 'pnpm',
    in: BUILD,
    pattern:
      /ERR_PNPM_(?:NO_MATCHING_VERSION|FETCH_404|NO_VERSIONS|PEER_DEP_ISSUES|SPEC_NOT_SUPPORTED_BY_ANY_RESOLVER)/,
    cause: ({ find, text }) => {
      const wrapped = /No matching version found for (?<package>\S+(?:- \S+)?)/.exec(text(8))?.groups?.package
      const named = find(/Failed to resolve (?<package>\S+@\S+)/, 12)?.package ?? wrapped?.replace('- ', '-')
      return `pnpm cannot resolve ${named ?? 'a dependency'}`
    },
    hint: always('Correct the name or version in package.json, then run `pnpm install` and commit the lock file.'),
  },
  {
    name: 'yarn/lock-out-of-step',
    tool: 'Yarn',
    in: BUILD,
    pattern:
      /Your lockfile needs to be updated|YN0028|The lockfile would have been (?:modified|created)|doesn't seem to be present in your lockfile/,
    cause: always('yarn.lock does not match package.json'),
    hint: always('Run `yarn install` and commit yarn.lock.'),
  },
  {
    name: 'yarn/cannot-resolve',
    tool: 'Yarn',
    in: BUILD,
    pattern:
      /Couldn't find any versions for "(?<name>[^"]+)" that matches "(?<range>[^"]+)"|YN0082: │ (?<spec>[^:]+:[^:]+): No candidates found|Couldn't find package "(?<missing>[^"]+)"/,
    cause: ({ groups }) => {
      const wanted = groups.name === undefined ? (groups.spec ?? groups.missing) : `${groups.name}@${groups.range}`
      return `Yarn cannot resolve ${wanted?.replace('@npm:', '@')}`
    },
    hint: always('Correct the name or version in package.json, then run `yarn install` and commit the lock file.'),
  },
  {
    name: 'bun/lock-out-of-step',
    tool: 'Bun',
    in: BUILD,
    pattern: /lockfile had changes, but lockfile is frozen/,
    cause: always('bun.lock does not match package.json'),
    hint: always('Run `bun install` and commit bun.lock.'),
  },
  {
    name: 'bun/cannot-resolve',
    tool: 'Bun',
    in: BUILD,
    pattern:
      /^error: (?:No version matching "(?<range>[^"]+)" found for specifier "(?<name>[^"]+)"|(?<spec>\S+) failed to resolve)/,
    cause: ({ groups }) => `Bun cannot resolve ${groups.spec ?? `${groups.name}@${groups.range}`}`,
    hint: always('Correct the name or version in package.json, then run `bun install` and commit the lock file.'),
  },
]
