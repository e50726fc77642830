import type { Hint } from './hint.ts'

/** A lock file that does not match what it locks; `what` may name the difference. */
function lock(file: string, manifest: string, command: string, at: RegExp, what?: RegExp): Hint {
  return {
    at,
    ...(what === undefined ? {} : { with: [what] }),
    cause: `${file} does not match ${manifest}[[: {what}]]`,
    todo: `Run \`${command}\` and commit ${file}.`,
  }
}

/** Package managers: lock files, versions, registries, and packages that must be compiled. */
export const PACKAGE_HINTS: readonly Hint[] = [
  // Lock files
  lock(
    'package-lock.json',
    'package.json',
    'npm install',
    /package\.json and package-lock\.json.*in sync|lock file's .* does not satisfy|(?:Missing|Invalid): .* lock file/,
    /(?:Missing|Invalid): (?<what>.+?)(?: from lock file|$)/,
  ),
  lock(
    'pnpm-lock.yaml',
    'package.json',
    'pnpm install',
    /ERR_PNPM_(?:OUTDATED_LOCKFILE|LOCKFILE_\w+|BROKEN_LOCKFILE)|specifiers in the lockfile/,
    /^\s*- (?<what>\S+ \(lockfile: .*)/,
  ),
  lock('yarn.lock', 'package.json', 'yarn install', /lockfile (?:needs to be|would have been)|YN0028|in your lockfile/),
  lock('bun.lock', 'package.json', 'bun install', /lockfile had changes, but lockfile is frozen/),
  lock('poetry.lock', 'pyproject.toml', 'poetry lock', /since poetry\.lock was|poetry\.lock is not up to date/),
  lock('uv.lock', 'pyproject.toml', 'uv lock', /uv\.lock.*(?:needs to be updated|not up to date|outdated)/),
  lock('Cargo.lock', 'Cargo.toml', 'cargo build', /Cargo\.lock.*to be updated|cannot update the lock file/i),
  lock('Gemfile.lock', 'the Gemfile', 'bundle install', /mode after changing|gemfile changed|Gemfile\.lock.*frozen/i),
  {
    at: /can only install with an existing package-lock\.json|ERR_PNPM_NO_LOCKFILE|Unable to find lockfile/,
    todo: 'Install (or lock) on your machine and commit the lock file; look whether .gitignore excludes it.',
  },
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
]
