import { always, type Recogniser } from '../recogniser.ts'

const BUILD = ['build'] as const

/** Dependencies with Go, Cargo, Maven, Gradle, Bundler and Composer. */
export const COMPILED_PACKAGE_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'go/missing-go-sum',
    tool: 'Go',
    in: BUILD,
    pattern:
      /missing go\.sum entry(?: for (?:module providing package |go\.mod file)?\s*(?<package>[^\s;]+))?|verifying .+: checksum mismatch/,
    cause: ({ groups }) => `go.sum lacks an entry${groups.package === undefined ? '' : ` for ${groups.package}`}`,
    hint: always('Run `go mod tidy` and commit go.mod and go.sum.'),
  },
  {
    name: 'go/missing-module',
    tool: 'Go',
    in: BUILD,
    pattern:
      /no required module provides package (?<package>[^\s;]+)|cannot find module providing package (?<other>[^\s;:]+)/,
    cause: ({ groups }) => `go.mod names no module for ${groups.package ?? groups.other}`,
    hint: always('Run `go mod tidy` and commit go.mod and go.sum.'),
  },
  {
    name: 'go/unknown-version',
    tool: 'Go',
    in: BUILD,
    pattern:
      /(?:^|[\s:])(?<module>\w[\w.-]*\.\w+\/[\w./-]+)(?:@|: version ")(?<version>v[^\s:"]+)"?:? (?:invalid|unknown revision|reading \S+: (?:404|410))/,
    cause: ({ groups }) => `Go finds no ${groups.module} ${groups.version}`,
    hint: always('Correct the version in go.mod (from v2 on, the module path ends in /v2), then run `go mod tidy`.'),
  },
  {
    name: 'cargo/lock-out-of-step',
    tool: 'Cargo',
    in: BUILD,
    pattern: /^error: (?:cannot update the lock file|the lock file) .*--(?:locked|frozen)/,
    cause: always('Cargo.lock does not match Cargo.toml'),
    hint: always('Run `cargo update --workspace` and commit Cargo.lock.'),
  },
  {
    name: 'cargo/cannot-resolve',
    tool: 'Cargo',
    in: BUILD,
    pattern:
      /^error: (?:failed to select a version for (?:the requirement )?`(?<requirement>[^`]+)`|no matching package(?: named)? `(?<package>[^`]+)`)/,
    cause: ({ groups }) => `Cargo cannot resolve ${groups.requirement ?? groups.package}`,
    hint: always('Correct the name or version in Cargo.toml, run `cargo build` and commit Cargo.lock.'),
  },
  {
    name: 'maven/cannot-resolve',
    tool: 'Maven',
    in: BUILD,
    pattern: /^\[ERROR\] .*(?:Could not resolve dependencies|could not be resolved|Non-resolvable)/,
    cause: ({ line }) => {
      const artifact = /(?:Could not find artifact|Failure to find) (?<artifact>\S+)/.exec(line)?.groups?.artifact
      return `Maven cannot resolve ${artifact ?? 'the dependencies'}`
    },
    hint: always('Correct the coordinates or version in pom.xml, or add the repository which has it.'),
  },
  {
    name: 'maven/broken-pom',
    tool: 'Maven',
    in: BUILD,
    pattern: /^\[FATAL\] Non-(?:parseable|readable) POM|Malformed POM/,
    cause: always('pom.xml cannot be read'),
    hint: always('Mend the syntax of pom.xml where the message points.'),
  },
  {
    name: 'gradle/cannot-resolve',
    tool: 'Gradle',
    in: BUILD,
    pattern: /^> Could not (?:find|resolve) (?<artifact>\S+?)\.?$/,
    cause: ({ groups }) => `Gradle cannot resolve ${groups.artifact}`,
    hint: always('Correct the coordinates or version in the build script, or add the repository which has it.'),
  },
  {
    name: 'gradle/broken-script',
    tool: 'Gradle',
    in: BUILD,
    pattern: /^(?:Build|Settings) file '(?<file>[^']+)' line: (?<line>\d+)$/,
    cause: ({ groups, find }) => {
      const reason = find(/^> (?<reason>.+)$/, 6)?.reason
      return `The Gradle script fails in line ${groups.line}${reason === undefined ? '' : `: ${reason}`}`
    },
    hint: always('Mend the build script there.'),
  },
  {
    name: 'bundler/lock-out-of-step',
    tool: 'Bundler',
    in: BUILD,
    pattern:
      /dependencies in your gemfile changed|install in deployment mode after changing|the lockfile can't be updated because frozen mode is set|gemspecs for path gems changed/i,
    cause: always('Gemfile.lock does not match the Gemfile'),
    hint: always('Run `bundle install` and commit Gemfile.lock.'),
  },
  {
    name: 'bundler/cannot-resolve',
    tool: 'Bundler',
    in: BUILD,
    pattern: /Could not find gem '(?<gem>[^']+)'|Could not find compatible versions/,
    cause: ({ groups }) => `Bundler cannot resolve ${groups.gem ?? 'the gems'}`,
    hint: always('Correct the name or version in the Gemfile, run `bundle install` and commit Gemfile.lock.'),
  },
  {
    name: 'composer/lock-out-of-step',
    tool: 'Composer',
    in: BUILD,
    pattern: /Required package "(?<package>[^"]+)" is (?:not present|in the lock file as)/,
    cause: ({ groups }) => `composer.lock does not match composer.json (${groups.package})`,
    hint: always('Run `composer update --lock`, or `composer update <package>`, and commit composer.lock.'),
  },
  {
    name: 'composer/cannot-resolve',
    tool: 'Composer',
    in: BUILD,
    pattern: /Your requirements could not be resolved to an installable set of packages/,
    cause: ({ find }) => {
      const reason = find(/^\s+- (?<reason>.+)$/, 8)?.reason
      return `Composer cannot resolve the requirements${reason === undefined ? '' : `: ${reason}`}`
    },
    hint: always('Correct the constraint in composer.json, run `composer update` and commit composer.lock.'),
  },
]
