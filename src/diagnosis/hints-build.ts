import { type Hint, LOCK_HINTS } from './hints.ts'

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
    at: /failed to (?:compute cache key|calculate checksum).*"\/?(?<path>[^"]+)": not found|COPY failed: .*?(?<path2>\S+): (?:no such file|file does not exist)|"\/(?<path3>[^"]+)": not found/i,
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
  ...LOCK_HINTS,
  // JavaScript packages
  {
    at: /\b(?:E401|401 Unauthorized|authentication token|ENEEDAUTH|ERR_PNPM_FETCH_401|Incorrect or missing password|not authorized|YN0041)\b/i,
    near: /npm|pnpm|yarn|registry/i,
    when: 'build',
    todo: 'The registry refuses the credentials: give the token with `env`, use it in .npmrc, and take out stale registry addresses from the lock file.',
  },
  {
    at: /ERESOLVE|unable to resolve dependency tree|Could not resolve dependency|conflicting peer dependency|^(?:npm (?:error|ERR!) )?peer \S+@/,
    with: [
      /^npm (?:error|ERR!) {1,3}(?:peer|peerOptional) (?<wanted>\S+@".+?"|\S+) from (?<by>\S+)\s*$/,
      /Found: (?<found>\S+)/,
    ],
    near: /ERESOLVE/,
    cause:
      'Peer dependency conflict: [[{by} wants {wanted}, ]][[but {found} is installed ]](npm cannot resolve the dependency tree)',
    todo: 'Bring the two to versions that go together; `legacy-peer-deps=true` in .npmrc accepts the conflict.',
  },
  {
    at: /404\s+(?:The requested resource )?'(?<package>[^']+)' (?:is not in|could not)|404 Not Found - GET \S+?\/(?<package2>@?[\w.%-]+(?:\/[\w.%-]+)?)(?: |$)/,
    with: [/404\s+(?:The requested resource )?'(?<package3>[^']+)'/],
    cause: 'npm finds no package {package|package3|package2} in the registry (404 Not Found), or may not read it',
    todo: 'Check the spelling in package.json. A package of the workspace needs the whole repository as root directory; a private one needs the registry token in .npmrc.',
  },
  {
    at: /The engine "node" is incompatible with this module\. Expected version "(?<wanted>[^"]+)"\. Got "(?<got>[^"]+)"/,
    with: [/^error (?<package>@?\S+@[\w.-]+): The engine "node"/],
    cause: 'The Node.js version does not suit:[[ {package}]] needs Node.js {wanted}, but the build runs Node.js {got}',
    todo: 'Name a Node.js version that fits: in `engines` of package.json, in .node-version, or in FROM of the Dockerfile.',
  },
  {
    at: /EBADENGINE|ERR_PNPM_UNSUPPORTED_ENGINE|Unsupported engine/,
    with: [
      /Required:\s*\{? ?"?(?<tool>\w+)"?: ?["'](?<wanted>[^"']+)/,
      /Actual:\s*\{.*?"?node"?: ?["']v?(?<got>[\d.]+)/,
      /Expected version: (?<wanted2>.+)/,
      /Got: (?<got2>.+)/,
    ],
    cause:
      'The Node.js or npm version does not suit[[: {tool} {wanted} is required]][[: {wanted2} is required]][[, and it is {got|got2}]]',
    todo: 'Name a version that fits in `engines` of package.json, or in .node-version.',
  },
  {
    at: /(?:platform "(?<here>[^"]+)" is incompatible|EBADPLATFORM|Unsupported platform)/,
    with: [/(?:error |for )(?<package>@?[\w./-]+@[\w.-]+)[: ]/],
    todo: 'A package for another system is a direct dependency: remove it from package.json, or move it to optionalDependencies.',
  },
  {
    at: /Node(?:\.js)? v?(?<got2>[\d.]+) is not supported|requires? (?:a )?node(?:\.js)?(?: version)? ?(?<wanted>[\^~>=\d][\w.+ |<>=-]*)|Node(?:\.js)? version (?:>= ?)?(?<wanted2>\S+) (?:is )?required|You are using Node\.js (?<got>[\d.]+)\. .{0,40}requires Node\.js/i,
    todo: 'Name a Node.js version that fits: in `engines` of package.json, in .node-version, or in FROM of the Dockerfile.',
  },
  {
    at: /crypto\.hash is not a function|crypto\$?\d*\.getRandomValues is not a function|styleText'? |\.toSorted is not a function|(?:Array\.fromAsync|Promise\.withResolvers) is not a function|ReferenceError: (?:File|fetch|structuredClone|CustomEvent|WebSocket) is not defined|SyntaxError: Unexpected token '(?:\?\?=|\|\|=|\?|\.)'|Cannot find module 'node:|No such built-in module: node:/,
    with: [/Node\.js (?<version>v?\d+\.\d+\.\d+)/],
    cause: 'The Node.js version[[ {version}]] is too old for a dependency',
    todo: 'Name a newer Node.js: in `engines` of package.json, in .node-version, or in FROM of the Dockerfile.',
  },
  {
    at: /did not find a package manager|missing `?packageManager`? field|packageManager["`]? .*(?:missing|field)/i,
    todo: 'Add it, for example `"packageManager": "npm@11.0.0"`, and commit that.',
  },
  {
    at: /[Mm]issing script:? "?(?<script>[\w:.-]+)"?|ERR_PNPM_NO_SCRIPT.*?"?(?<script2>[\w:.-]+)"?$|[Cc]ommand "(?<script3>[\w:.-]+)" not found|Couldn't find a script named "(?<script4>[^"]+)"|Script not found "(?<script5>[^"]+)"/,
    without: /rails|bundler: command|rake|assets/i,
    cause: 'package.json has no script “{script|script2|script3|script4|script5}”',
    todo: 'Add it to `scripts` of package.json, or set `build.command` or `start` in ink.yml to what there is.',
  },
  // Native packages
  {
    at: /(?:find|find any) Python|Python executable|No prebuilt|gyp ERR!|node-gyp.*not found|not found: make|prebuild-install/i,
    near: /gyp|prebuild/i,
    with: [
      /(?:npm (?:error|ERR!) )?path \S*node_modules\/(?<package>(?:@[^/\s]+\/)?[^/\s]+)$/,
      /\bnode_modules\/(?<package2>(?:@[^/\s]+\/)?[^/\s:]+)(?:: Command failed|\S{0,80} install)/,
    ],
    cause:
      '[[{package|package2} must be compiled by ]]node-gyp, and the build tools or Python that it needs are not installed',
    todo: 'Install them before the packages (Alpine: `apk add python3 make g++`, Debian: `apt-get install -y python3 make g++`), or use an image for which the package has a ready binary.',
  },
  {
    at: /.*/,
    near: /(?:Failed to build (?:installable wheels for some pyproject\.toml based projects )?[`'(]?(?!gem)[\w.-]+|Failed building wheel for|(?:Getting requirements to build wheel|egg_info) (?:did not|.*error)|metadata-generation-failed|Unable to install .*building|Failed to download and build)/i,
    without: /^(?:error: )?Could not find a version|cargo|\bnpm\b|ERROR: No matching distribution/i,
    with: [
      /Failed (?:to build|to download and build|building wheel for) (?:installable wheels for some pyproject\.toml based projects )?[`'(]?(?<package>[\w.-]+(?:==[\w.]+)?)/i,
      /Collecting (?<package2>[\w.-]+(?:==[\w.]+)?)/,
      /(?<why>(?:ModuleNotFoundError|ImportError|AttributeError|fatal error|error|Error|FileNotFoundError|RuntimeError|Exception|TypeError): (?!subprocess|metadata|command|Failed|legacy|Microsoft).*)/,
      /(?<why2>^.*(?:not found|is required|No such file|command not found).*)/,
    ],
    when: 'build',
    cause: 'The Python package[[ {package|package2}]] could not be built[[: {why|why2}]]',
    todo: 'Use a version that has a ready wheel for this Python (or another Python version), or install what it needs to be compiled.',
  },
  {
    at: /.*/,
    near: /Failed to build gem native extension|An error occurred while installing \S+ \(|extconf\.rb/,
    with: [
      /An error occurred while installing (?<gem>\S+ \([\w.]+\))/,
      /gems\/(?<gem2>[\w-]+-[\d.]+)/,
      /^(?<why>.*(?:Cannot execute|is missing|(?:lib|header)\S* (?:not found|is missing)|can't find|cannot find|not found|missing required|You need to|No such file).*)/,
    ],
    when: 'build',
    cause: 'The gem[[ {gem|gem2}]] cannot be compiled (Failed to build gem native extension)[[: {why}]]',
    todo: 'Install the libraries and headers that it needs in the image before `bundle install`, or use a version with a ready binary.',
  },
  {
    at: /failed to run custom build command for `(?<crate>[^`]+)`|Could not find (?:directory of OpenSSL|.* library)|pkg-config .*not/i,
    near: /failed to run custom build command/,
    with: [
      /failed to run custom build command for `(?<crate2>[^`]+)`/,
      /(?<why>Could not find .{1,120}|^.*(?:is not installed|command not found|was not found in the pkg-config).{0,80})/,
    ],
    cause: 'The build script of the crate {crate|crate2} failed[[: {why}]]',
    todo: 'Install the library and its headers in the image before `cargo build` (for OpenSSL on Debian: `apt-get install -y pkg-config libssl-dev`), or use the crate’s vendored feature.',
  },
  // Versions of languages
  {
    at: /go\.mod requires go >= (?<wanted>[\d.]+) \(running go (?<got>[\d.]+)/,
    cause: 'go.mod requires Go {wanted}, but the build has Go {got}',
    todo: 'Raise the version of the golang image in the Dockerfile, or lower the `go` line of go.mod.',
  },
  {
    at: /Unsupported class file major version (?<major>\d+)|Could not determine java version from '(?<java>[^']+)'/,
    with: [/Welcome to Gradle (?<gradle>[\d.]+?)!?$/, /gradle-(?<gradle2>[\d.]+)-(?:bin|all)/],
    cause:
      "Gradle[[ {gradle|gradle2}]] does not support this Java version[[: Unsupported class file major version {major}]][[: Could not determine java version from '{java}']]",
    todo: 'Use a newer Gradle wrapper, or an older Java image.',
  },
  {
    at: /Your Ruby version is (?<got>[\d.]+), but your Gemfile specified (?<wanted>\S+)/,
    cause: 'The Gemfile wants Ruby {wanted}, but the build has Ruby {got}',
    todo: 'Bring the two together: `ruby` in the Gemfile, .ruby-version, and the image in FROM.',
  },
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
