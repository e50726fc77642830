import type { Hint } from './hint.ts'
import { PACKAGE_HINTS } from './hints-packages.ts'

const AGAIN = 'Nothing is wrong with the project as far as the log tells; run it again.'
const NETWORK =
  /\b(?:EAI_AGAIN|ETIMEDOUT|ECONNRESET|ENETUNREACH|ERR_SOCKET_TIMEOUT|ESOCKETTIMEDOUT)\b|name resolution|connection reset by peer|operation timed out|(?:connect|read|connection|request|i\/o|network) ?time(?:d )?out|handshake|TLS connection|SSL_ERROR|network is unreachable|error sending request|could not connect, are you offline|Could not resolve host|502 Bad Gateway|503 Service|504 Gateway|toomanyrequests/i
const REGISTRY =
  /registr|npm (?:error|ERR!)|yarn|pnpm|pypi|files\.python|crates|index|maven|central|gradle|artifact|plugin|rubygems|packagist|composer|proxy\.golang|download|fetch|docker\.io|ghcr|metadata|mirror|github\.com|deb\.|apt|mise|\bpull/i

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
    todo: 'Commit the Dockerfile (its name is case-sensitive), name it with `build.dockerfile` in ink.yml, or let the platform find out how to build with `build-pack: railpack`.',
  },
  {
    at: /unable to prepare context: path "(?<folder>[^"]+)" not found|root[_ ]directory "?(?<folder2>[^"\s]+)"? (?:not found|does not exist)/i,
    cause: 'The root directory “{folder|folder2}” does not exist in what was deployed',
    todo: 'Correct `root` in ink.yml; it is relative to the top of the repository.',
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
    todo: 'Set `root` in ink.yml to the folder of the app (the one with package.json, requirements.txt, go.mod …), or add a Dockerfile.',
  },
  {
    at: /no start command (?:was |could be )?(?:found|detected|specified)|could not determine (?:the )?start command|specify a start command/i,
    cause: 'Nothing tells how to start the application: no start command was found',
    lacksStart: true,
    with: [/(?:^|[\s/])(?<out>dist|build|out|public|_site)\/index\.html\b/],
    todo: '[[The build left `{out}/`; set `build: { publish: {out} }` in ink.yml to have it served. Or else: ]]Add a `start` script to package.json (or a Procfile, or a main file of the language), or set `start` in ink.yml.',
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
    todo: 'The folder that is built does not hold it: set `root` in ink.yml, or name the right folder in the build command.',
  },
  {
    at: /^\s*\d+:\d+\s+(?:error|Error)/,
    todo: 'Correct what the linter names, or change the rule in its configuration.',
  },
]

const SET_IT = 'Set it with the `env` input (a secret from `secrets`), for the environment that failed.'

/** An application that was started, and what can happen both there and in a build: missing variables, programs, modules. */
export const RUN_HINTS: readonly Hint[] = [
  {
    at: /exec format error/i,
    cause: 'The program in the image is built for another processor architecture (exec format error)',
    todo: 'Build for linux/amd64 (`--platform=linux/amd64`, `GOARCH=amd64`); a script needs `#!` in its first line.',
  },
  {
    at: /exec "?(?<file>\/\S{1,200}?\.\w{1,9})"?: no such file or directory|(?<!\S)(?<file2>\S{1,200}\.sh): (?:not found|no such file or directory)|exec user process caused: no such file|env: [‘'`]?(?<shell>\w+)\\r/i,
    cause:
      '{file|file2|shell} cannot be executed: it is missing in the image, or its first line ends with a Windows line ending (CRLF)',
    todo: 'Save the script with LF line ends (`*.sh text eol=lf` in .gitattributes), and check that its first line names a shell that the image has.',
  },
  {
    at: /exec: "(?<file>[^"]+)": permission denied|(?<!\S)(?<file2>\S{1,200}): [Pp]ermission denied/,
    near: /exec|runc|OCI|entrypoint|^(?:\/bin\/)?(?:ba)?sh:|\.sh\b/i,
    without: /EACCES|mkdir|open\(|bind\(/,
    cause: '{file|file2} may not be executed (permission denied)',
    todo: 'Make it executable: `git update-index --chmod=+x FILE`, or `RUN chmod +x` in the Dockerfile.',
  },
  {
    at: /exec: "(?<program>[^"]+)": (?:executable file not found|stat)|(?:^|: )(?:line )?(?:\d+: )?(?<program2>[\w@./-]+): (?:command )?not found$|: (?<program3>[\w@./-]+): not found$|command not found: (?<program4>\S+)|spawn (?<program5>[\w./-]+) ENOENT|unknown command:? (?<program6>\S+)/,
    cause: 'The command “{program|program2|program3|program4|program5|program6}” does not exist in the image',
    todo: 'Install what provides it (a package in dependencies rather than devDependencies, a system package in the image), or correct the command.',
  },
  {
    at: /Executable doesn't exist at|browserType\.launch|Could not find (?:Chrome|Chromium|browser)/i,
    cause: "The browser that Playwright or Puppeteer wants is not installed in the image (Executable doesn't exist)",
    todo: 'Install it while building: `npx playwright install --with-deps chromium`, or use an image that has it.',
  },
  {
    at: /(?:(?:environment|env)(?:ironment)? ?var(?:iable)?s?:? |[Vv]ariable |[Mm]issing (?:required )?(?:environment |env )?(?:variables?|vars?)?:? ?)["'`“]?(?<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z]{4,})["'`”]?/,
    near: /missing|not set|unset|required|not defined|undefined|not found|must|empty|please set|not present|not provided/i,
    without: /gyp|find Python|rerun-if-env/,
    cause: 'The environment variable {name} is missing',
    todo: SET_IT,
  },
  {
    at: /["'`“]?\b(?<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+)\b["'`”]?(?: setting| environment variable| env(?:ironment)? var(?:iable)?)?(?: is| was| must be| are| must not be)? (?:missing|not set|unset|required|undefined|not defined|not found|set\b(?! to)|empty|not provided|not configured|mandatory)/,
    without: /gyp|rerun-if-env|ERR_|npm ERR/,
    cause: 'The environment variable {name} is missing',
    todo: SET_IT,
  },
  {
    at: /\b(?<name4>[A-Z][A-Z0-9_]{2,60}): (?:unbound variable|parameter (?:null or )?not set)|KeyError: '(?<name>[A-Z][A-Z0-9_]{2,})'|key not found: "(?<name2>[A-Z][A-Z0-9_]{2,})"|placeholder '(?<name3>[\w.-]+)'/,
    cause: 'The environment variable {name|name2|name3|name4} is missing',
    todo: SET_IT,
  },
  {
    at: /validation errors? for (?<class>\w+)/,
    near: /field required|Field required|type=missing|value_error\.missing/,
    with: [/^(?<name>[A-Za-z_]\w*)$/],
    cause: 'Settings are missing: {class} requires the environment variable {name}',
    todo: 'Set the variables that the lines below name with the `env` input.',
  },
  {
    at: /ZodError/,
    with: [/^\s*"(?<name>[A-Z][A-Z0-9_]{2,})"\s*$/, /"path": ?\["(?<name2>[A-Z][A-Z0-9_]{2,})"/],
    cause: 'The environment variable {name|name2} is missing or not as the schema (zod) requires',
    todo: SET_IT,
  },
  {
    at: /\b\w{1,60}(?:Url|Key|URL|Secret|Token) is required|SECRET_KEY|APP_KEY|application encryption key|secret_key_base|environment variable not found|NotPresent|ZodError|Invalid environment variables/i,
    todo: 'Set the variables that the lines below name with the `env` input.',
  },
  {
    at: /(?:ECONNREFUSED|[Cc]onnection refused|connect refused|actively refused).*?(?<host>(?:\d{1,3}\.){3}\d{1,3}|localhost|::1|\[::1\])?[: ]*(?<port>\d{2,5})?\b/,
    with: [
      /ECONNREFUSED (?<host2>[\w.:]+?):(?<port2>\d{2,5})\b/,
      /at "?(?<host3>[\w.]+)"?(?: \([\d.:]+\))?, port (?<port3>\d+)/,
      /(?<database>Mongo|Postgres|MySQL|Redis|psycopg|Sequelize|amqp|Kafka|Elastic)/i,
    ],
    without: /registry|npm ERR/,
    when: 'run',
    cause: 'Connection refused: nothing answers[[ at {host2|host3|host}]][[:{port2|port3|port}]][[ ({database})]]',
    todo: 'Give the app the address of its database or service in the variable it reads; localhost is the container itself.',
  },
  {
    at: /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) (?<host>[\w.-]+)|could not translate host name "(?<host2>[^"]+)"|Name or service not known|no such host|nodename nor servname/,
    when: 'run',
    todo: 'The name of that host is unknown here: names of a docker-compose file do not exist; give the app the address that the platform told.',
  },
  {
    at: /P100[01]|Can't reach database|password authentication failed|Access denied for user|WRONGPASS|NOAUTH|DataSource|suitable driver class/,
    todo: 'Check the address, user name and password of the database in the variables that the app is given; localhost is the container itself.',
  },
  {
    at: /Cannot find module '(?:\/app|\/usr\/src\/app|\/workspace|\/srv)?\/(?<file>(?!node_modules)[^']+)'/,
    without: /imported from|^Require stack:\s*- (?!.*internal)/,
    when: 'run',
    cause: 'The start command runs {file}, which does not exist (Cannot find module)',
    todo: 'Build it first, or start the file that the build writes; look at `outDir` of the compiler and at `start` in ink.yml.',
  },
  {
    at: /Cannot find (?:module|package) '|ERR_MODULE_NOT_FOUND|No module named|ModuleNotFoundError|cannot load such file/,
    todo: 'A package: add it to the dependencies (not to those for development) and commit the lock file; pkg_resources comes with setuptools before version 81. A file: check its path, letter case included, and that it is committed and built.',
  },
  {
    at: /require\(\) of ES Module|ERR_REQUIRE_ESM|require is not defined in ES module|Cannot use import statement outside/,
    cause: 'CommonJS and ES modules are mixed',
    todo: 'Set `"type"` in package.json as the code is written, or name the file .cjs or .mjs.',
  },
  {
    at: /EADDRINUSE.*?:(?<port>\d+)|address already in use|\bport (?<port2>\d+) (?:is|was) (?:already )?in use/i,
    cause: 'The port[[ {port|port2}]] is in use already',
    todo: 'Start one server only, on the port in the PORT environment variable.',
  },
  {
    at: /^(?:\W{0,3}\[?\w*Error\b|TypeError|ReferenceError|Error:)/,
    near: /prerendering page "/,
    with: [/prerendering page "(?<page>[^"]+)"/],
    cause: 'Next.js fails to prerender the page {page}: {reason}',
    todo: 'Pages are rendered while the app is built: what they read (variables, a database, an API) must be there, or the page must be dynamic.',
  },
]
