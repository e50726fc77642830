import type { Hint } from './hint.ts'
import { PACKAGE_HINTS } from './hints-packages.ts'

const AGAIN = 'Nothing is wrong with the project as far as the log tells; run it again.'
const NETWORK =
  /\b(?:EAI_AGAIN|ETIMEDOUT|ECONNRESET|ENETUNREACH|ERR_SOCKET_TIMEOUT|ESOCKETTIMEDOUT)\b|name resolution|connection reset by peer|operation timed out|(?:connect|read|connection|request|i\/o|network) ?time(?:d )?out|handshake|TLS connection|SSL_ERROR|network is unreachable|error sending request|could not connect, are you offline|Could not resolve host|502 Bad Gateway|503 Service|504 Gateway|toomanyrequests/i
const REGISTRY =
  /registr|npm (?:error|ERR!)|yarn|pnpm|pypi|files\.python|crates|index|maven|central|gradle|artifact|plugin|rubygems|packagist|composer|proxy\.golang|download|fetch|docker\.io|ghcr|metadata|mirror|github\.com|deb\.|apt|mise|\bpull/i

/** Whatever is being built. The first that knows the reason counts, so what causes others stands before them. */
/** Whatever is being built. The first that knows the reason counts, so what causes others stands before them. */
/** Whatever is being built. The first that knows the reason counts, so what causes others stands before them. */
export const BUILD_HINTS: readonly Hint[] = [
  {
    at: /\bENOSPC\b(?!: System limit)|no space left on device|\[Errno 28\]|disk quota exceeded/i,
    cause: 'The disk is full',
    todo: 'Keep what is not needed out of the build: a .dockerignore, no caches or test data in the repository, fewer dependencies.',
  },
  {
    at: /JavaScript heap out of memory/,
    cause: 'Node.js ran out of heap memory',
    todo: 'Give it more with the `memory` input, or make it need less. Node.js takes part of it only; set NODE_OPTIONS=--max-old-space-size=<MiB> with the `env` input for more.',
  },
  {
    at: /java\.lang\.OutOfMemoryError(?:: (?<what>.+))?/,
    cause: 'Java ran out of memory[[ ({what})]]',
    todo: 'Give it more with the `memory` input. Set the heap with JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75 in the `env` input.',
  },
  {
    at: /^Killed$|: line \d+: +\d+ Killed|\bOOM-?Killed\b|oom-kill:|out of memory: killed|signal:? (?:9|killed)|signal SIGKILL|Killed signal terminated|\b137\b|^MemoryError|runtime: out of memory|memory allocation of|bad_alloc|cannot allocate memory|memory limit/i,
    cause: 'Out of memory: the process was killed (exit code 137)',
    todo: 'Give it more with the `memory` input (256Mi unless set otherwise), or make it need less.',
  },
  // Network of package managers, before what they say about single packages
  {
    at: NETWORK,
    near: REGISTRY,
    when: 'build',
    without: /ECONNREFUSED|Can't reach database|ConnectionNotEstablished|ConnectionBad/,
    todo: AGAIN,
  },
  // Docker and the builders
  {
    at: /failed to read dockerfile|open \S*Dockerfile: no such file|unable to prepare context.*Dockerfile|no Dockerfile (?:was )?found|Dockerfile (?:does not exist|not found)|Cannot locate specified Dockerfile/i,
    cause: 'There is no Dockerfile where the platform looks for it: the file does not exist',
    todo: 'Commit the Dockerfile (its name is case-sensitive), name it with `dockerfile-path`, or let the platform find out how to build with `build-pack: railpack`.',
  },
  {
    at: /unable to prepare context: path "(?<folder>[^"]+)" not found|root[_ ]directory "?(?<folder2>[^"\s]+)"? (?:not found|does not exist)/i,
    cause: 'The root directory “{folder|folder2}” does not exist in what was deployed',
    todo: 'Correct `root-directory`; it is relative to the top of the repository.',
  },
  {
    at: /failed to (?:compute cache key|calculate checksum).*"\/?(?<path>[^"]+)": not found|COPY failed: .*?(?<path2>\S+): no such file|"\/(?<path3>[^"]+)": not found/i,
    cause: '{path|path2|path3} does not exist where the image is put together',
    todo: 'COPY sees what is deployed: commit the file, take it out of .dockerignore, or make it in an earlier stage. Paths are relative to the root directory.',
  },
  {
    at: /unable to generate a build plan|could not determine how to build|no (?:provider|start command|suitable buildpack) .*|Railpack could not/i,
    without: /start command/i,
    cause: 'The builder does not recognise what to build: no language was found at the top of what was deployed',
    todo: 'Set `root-directory` to the folder of the app (the one with package.json, requirements.txt, go.mod …), or add a Dockerfile.',
  },
  {
    at: /no start command (?:was |could be )?(?:found|detected|specified)|could not determine (?:the )?start command|specify a start command/i,
    cause: 'Nothing tells how to start the application: no start command was found',
    todo: 'Add a `start` script to package.json (or a Procfile, or a main file of the language), or set `start-command`.',
  },
  // Git
  {
    at: /clone failed|repository not found/i,
    without: /submodule/i,
    todo: 'The platform could not fetch the pushed commit: run this again. If it stays so, look at the service’s repository in ml.ink.',
  },
  {
    at: /unadvertised object|did not contain (?<sha>[0-9a-f]{7,40})|reference is not a tree|not our ref/i,
    near: /submodule/i,
    with: [
      /submodule(?: path)? '(?<name>[^']+)'/i,
      /(?:Fetched in submodule path|Unable to checkout '.{7,40}' in submodule path|into submodule|submodule path) '(?<name2>[^']+)'/i,
    ],
    cause: 'The submodule[[ {name|name2}]] points to a commit that its server does not contain',
    todo: 'Push the commit in the submodule, or point the submodule at one that is there, and commit that.',
  },
  {
    at: /version https:\/\/git-lfs|git-lfs(?:\.github\.com)?.*(?:spec|pointer)|smudge filter lfs failed/i,
    cause: 'A file is only a pointer of Git LFS, not its content',
    todo: 'Check out with `lfs: true`, so that the contents are deployed.',
  },
  ...PACKAGE_HINTS,
  // Code
  {
    at: /(?:Can't|Could not|Cannot|Failed to|failed to|Unable to) resolve (?:import |entry module |module )?["'`]?(?<import>[^"'`\s]+)["'`]?/,
    when: 'build',
    todo: 'A file: check the path, letter case included (Linux tells them apart). A package: add it to the dependencies and commit the lock file.',
  },
  {
    at: /"(?<name>\w+)" is not exported by "virtual:env\/static|(?<name2>(?:NEXT_PUBLIC|VITE|PUBLIC|REACT_APP|NUXT|EXPO_PUBLIC)_\w+) is not (?:exported|defined|set)/,
    cause: 'The environment variable {name|name2} is not set at build time',
    todo: 'Set it with the `env` input; it must be there while the app is built.',
  },
  {
    at: /error (?<code>TS\d+):|Type error: |error (?<code2>CS\d+):/,
    todo: 'Correct the type errors; the compiler on your machine shows the same (`tsc --noEmit`, `dotnet build`). A module that is not found must be installed, or built first.',
  },
  {
    at: /error: cannot find symbol/,
    with: [/^\s+symbol: {1,4}(?<symbol>.+)/],
    cause: 'Java cannot find symbol[[: {symbol}]]',
    todo: 'Check its name and import, and that the dependency that has it is in the build file.',
  },
  {
    at: /ConnectionNotEstablished|ConnectionBad|ECONNREFUSED|Can't reach database|could not connect to server|Connection refused/i,
    when: 'build',
    todo: 'The build wants to connect to a database, which is not there while it builds: move this to the start of the app, or let the step do without.',
  },
  // What the reason says well enough by itself
  {
    at: /Could not (?:find|resolve) (?:artifact|dependencies|all|\S+:\S+:)|Could not transfer|JSONPARSE|No matching (?:version|distribution)|conflicting dependencies|ResolutionImpossible|ERR_PNPM_(?:NO_MATCHING|FETCH_404|NO_VERSIONS)|Couldn't find (?:any versions|package) |No candidates found|No version matching|failed to resolve$|No solution found|version solving failed|doesn't match any versions|find compatible versions|Could not find gem|failed to select a version|no matching package|unknown revision|requires .*, found .* but it does not match/,
    todo: 'Correct the name, version or syntax in the manifest, install (or lock) again and commit the lock file.',
  },
  {
    at: /missing go\.sum entry|no required module provides package|cannot find module providing|invalid version/,
    todo: 'Run `go mod tidy` and commit go.mod and go.sum.',
  },
  {
    at: /:enoent/,
    with: [/System\.cmd\("(?<program>[^"]+)"/],
    cause: 'The program {program} is not installed in the image (System.cmd gives :enoent)',
    todo: 'Install it in the stage that builds, or use a package with a precompiled part.',
  },
  {
    at: /requires? (?:a (?:different|newer) )?(?:php|python|rustc|ruby|java)\b|Requires-Python|python_requires|edition2024|-> your php version|rustc \S+ is not supported|(?:target|source) release|release version \d+ not supported|UnsupportedClassVersionError|No interpreter found for/i,
    todo: 'Choose the version of the language that the project (or its dependency) wants: in FROM of the Dockerfile, or in the version file that the builder reads.',
  },
  {
    at: /found no .*index\.html|Could not resolve entry module|Couldn't find any `?pages|no Go files in|is not in (?:std|GOROOT)|No inputs were found/,
    todo: 'The folder that is built does not hold it: set `root-directory`, or name the right folder in the build command.',
  },
  {
    at: /^\s*\d+:\d+\s+(?:error|Error)/,
    todo: 'Correct what the linter names, or change the rule in its configuration.',
  },
]
