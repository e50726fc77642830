import { always, type Recogniser } from '../recogniser.ts'

const BOTH = ['build', 'runtime'] as const

/** Scripts, commands and files that are not there. */
export const SCRIPT_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'scripts/missing-script',
    in: BOTH,
    pattern:
      /(?:Missing script:? "?(?<npm>[^"\s]+)"?|Script not found "(?<bun>[^"]+)"|^error Command "(?<yarn>[^"]+)" not found|Couldn't find a script named "(?<berry>[^"]+)")/,
    cause: ({ groups }) => `package.json has no script “${groups.npm ?? groups.bun ?? groups.yarn ?? groups.berry}”`,
    hint: always('Add it to `scripts` in package.json, or set `build-command` or `start-command` to one that exists.'),
  },
  {
    name: 'scripts/make-target',
    tool: 'make',
    in: BOTH,
    pattern: /^make: \*\*\* (?:No rule to make target '(?<target>[^']+)'|No targets specified and no makefile found)/,
    cause: ({ groups }) =>
      groups.target === undefined ? 'make finds no Makefile' : `The Makefile has no target “${groups.target}”`,
    hint: always('Name an existing target in `build-command`, and check `root-directory`.'),
  },
  {
    name: 'scripts/not-executable',
    in: BOTH,
    pattern: /(?:^|: )(?<path>\.?\/[\w./-]+): Permission denied$/,
    cause: ({ groups }) => `${groups.path} may not be executed`,
    hint: ({ groups }) => `Run \`git update-index --chmod=+x ${groups.path?.replace(/^\.\//, '')}\` and commit that.`,
  },
  {
    name: 'scripts/command-not-found',
    in: BOTH,
    pattern:
      /(?:^|[:\s])(?<command>[\w@./-]+): (?:command )?not found$|exec: "(?<exec>[^"]+)": executable file not found/,
    cause: ({ groups }) => `The command “${groups.command ?? groups.exec}” does not exist in the image`,
    hint: always(
      'Check the spelling. For a tool from npm, add it to package.json (to dependencies, when devDependencies are not installed); others need a Dockerfile.',
    ),
  },
  {
    name: 'scripts/no-entry-file',
    in: BOTH,
    pattern:
      /can't open file '(?<python>[^']+)'|Could not open input file: (?<php>\S+)|Unable to access jarfile (?<java>\S+)|^Error: Cannot find module '(?<node>\/(?:app|workspace|usr\/src\/app)\/[^']+)'$/,
    cause: ({ groups }) => {
      const path = groups.python ?? groups.php ?? groups.java ?? groups.node
      return `${path?.replace(/^\/(?:app|workspace|usr\/src\/app)\//, '')} does not exist`
    },
    hint: always(
      'Set `start-command` to a file that exists after the build, or set `build-command` so that the build writes it.',
    ),
  },
]
