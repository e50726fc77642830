import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { RECOGNISERS } from '../../src/watch/diagnosis/table.ts'
import { failureOf, SAMPLES, sampleLines } from './samples.ts'

/** Sample, recogniser, cause, the first places annotated. */
const KNOWN: readonly (readonly [string, string, string, readonly string[]])[] = [
  ['buildkit/command-failed', 'endings/command-failed', '`make assets` failed with exit code 3', []],
  ['buildkit/killed', 'resources/killed', 'Out of memory: the process was killed (exit code 137)', []],
  ['buildkit/no-dockerfile', 'platform/no-dockerfile', 'There is no Dockerfile', []],
  [
    'buildkit/npm-lock-out-of-step',
    'npm/lock-out-of-step',
    'package-lock.json does not match package.json (is-odd@3.0.1)',
    [],
  ],
  ['bun/lock-out-of-step', 'bun/lock-out-of-step', 'bun.lock does not match package.json', []],
  ['bun/missing-script', 'scripts/missing-script', 'package.json has no script “build”', []],
  ['bun/no-such-version', 'bun/cannot-resolve', 'Bun cannot resolve is-number@99.0.0', []],
  ['bun/syntax-error', 'bun/error', 'The Bun build fails in index.ts, line 1: Unexpected ;', ['index.ts:1:11']],
  ['bundler/lock-out-of-step', 'bundler/lock-out-of-step', 'Gemfile.lock does not match the Gemfile', []],
  ['bundler/no-such-gem', 'bundler/cannot-resolve', 'Bundler cannot resolve sinatra (= 99.0)', []],
  [
    'cargo/compile',
    'rust/error',
    'Rust error E0425 in src/main.rs, line 3: cannot find value `totla` in this scope',
    ['src/main.rs:3:20', 'src/main.rs:2:22'],
  ],
  ['cargo/lock-out-of-step', 'cargo/lock-out-of-step', 'Cargo.lock does not match Cargo.toml', []],
  [
    'cargo/missing-crate',
    'rust/error',
    'Rust error E0432 in src/main.rs, line 1: unresolved import `serde`',
    ['src/main.rs:1:5'],
  ],
  ['cargo/no-such-version', 'cargo/cannot-resolve', 'Cargo cannot resolve itoa = "^99"', []],
  [
    'cargo/syntax',
    'rust/error',
    'Rust error in src/main.rs, line 2: mismatched closing delimiter: `}`',
    ['src/main.rs:2:17'],
  ],
  [
    'composer/lock-out-of-step',
    'composer/lock-out-of-step',
    'composer.lock does not match composer.json (acme/mail)',
    [],
  ],
  [
    'composer/no-such-version',
    'composer/cannot-resolve',
    'Composer cannot resolve the requirements: Root composer.json requires acme/money ^9, found acme/money[1.0.0] but it does not match the constraint.',
    [],
  ],
  ['crash/go-panic', 'crash/go-panic', 'Go panic: assignment to entry in nil map (main.go:5)', ['main.go:5']],
  [
    'crash/java-exception',
    'crash/java-exception',
    'Java exception: java.lang.ArrayIndexOutOfBoundsException: Index 2 out of bounds for length 0 (src/main/java/App.java:4)',
    ['src/main/java/App.java:4'],
  ],
  [
    'crash/node-rejection',
    'crash/node-error',
    'The application ended with Error: config file is empty (server.js:2)',
    ['server.js:2:9'],
  ],
  [
    'crash/node',
    'crash/node-error',
    "The application ended with TypeError: Cannot read properties of undefined (reading 'url') (server.js:2)",
    ['server.js:2:26'],
  ],
  ['crash/php', 'crash/php-error', 'PHP error: DivisionByZeroError: Division by zero (index.php:3)', ['index.php:3']],
  [
    'crash/python-traceback',
    'crash/python-exception',
    'Python ZeroDivisionError: division by zero (main.py:2)',
    ['main.py:2'],
  ],
  ['crash/ruby', 'crash/ruby-error', 'Ruby KeyError in app.rb, line 2: key not found: :count', ['app.rb:2']],
  [
    'crash/rust-panic',
    'crash/rust-panic',
    'Rust panic in src/main.rs:3: index out of bounds: the len is 0 but the index is 3',
    ['src/main.rs:3:26'],
  ],
  ['database/host-unknown', 'database/unknown-host', 'The host db.internal.invalid is not known', []],
  ['database/mongo-refused', 'database/refused', 'The MongoDB database at 127.0.0.1:27017 refused the connection', []],
  [
    'database/mysql-refused',
    'database/refused',
    'The MySQL database at 127.0.0.1:3306 refused the connection (server.js:2)',
    ['server.js:2:23'],
  ],
  ['database/no-such-table', 'database/no-such-table', 'The database has no table orders (main.py:2)', ['main.py:2']],
  ['database/pg-refused', 'database/refused', 'The PostgreSQL database at 127.0.0.1:5432 refused the connection', []],
  [
    'database/psycopg-refused',
    'database/refused',
    'The PostgreSQL database at 127.0.0.1:5432 refused the connection (main.py:2)',
    ['main.py:2'],
  ],
  ['database/redis-refused', 'database/refused', 'The Redis database at 127.0.0.1:6379 refused the connection', []],
  ['disk/node', 'resources/disk-full', 'The disk is full (build.js:1)', ['build.js:1:24']],
  ['disk/npm', 'resources/disk-full', 'The disk is full', []],
  ['disk/pip', 'resources/disk-full', 'The disk is full', []],
  [
    'docker/no-context',
    'platform/no-root-directory',
    'The root directory “services/web” does not exist in what was deployed',
    [],
  ],
  ['docker/no-dockerfile-legacy', 'platform/no-dockerfile', 'There is no Dockerfile', []],
  ['environment/django-secret', 'environment/django-setting', 'The environment variable SECRET_KEY is missing', []],
  ['environment/go-fatal', 'environment/said-so', 'The environment variable STRIPE_KEY is missing', []],
  ['environment/node-exit', 'environment/said-so', 'The environment variable SESSION_SECRET is missing', []],
  [
    'environment/node-throw',
    'environment/said-so',
    'The environment variable DATABASE_URL is missing (server.js:2)',
    ['server.js:2:17'],
  ],
  [
    'environment/pydantic',
    'environment/pydantic',
    'The environment variable DATABASE_URL is missing (main.py:4)',
    ['main.py:4'],
  ],
  [
    'environment/python-key-error',
    'environment/python-key',
    'The environment variable DATABASE_URL is missing (main.py:4)',
    ['main.py:4'],
  ],
  [
    'environment/ruby-key-error',
    'environment/ruby-key',
    'The environment variable DATABASE_URL is missing (app.rb:1)',
    ['app.rb:1'],
  ],
  [
    'environment/rust-not-present',
    'environment/rust-not-present',
    'An environment variable is missing (src/main.rs:2)',
    ['src/main.rs:2:45'],
  ],
  [
    'environment/zod',
    'environment/zod',
    'The environment variable DATABASE_URL is missing (server.js:3)',
    ['server.js:3:5'],
  ],
  [
    'eslint/errors',
    'eslint/problems',
    'ESLint found 4 errors (src/app.js:1)',
    ['src/app.js:1:7', 'src/app.js:2:5', 'src/app.js:2:13'],
  ],
  [
    'go/compile',
    'go/compile',
    'Go error in main.go, line 3: "fmt" imported and not used, and 4 more',
    ['main.go:3:8', 'main.go:6:6', 'main.go:6:14'],
  ],
  [
    'go/missing-go-sum',
    'go/missing-go-sum',
    'go.sum lacks an entry for github.com/google/uuid (main.go:3)',
    ['main.go:3:8'],
  ],
  ['go/no-files', 'go/no-files', 'There are no Go files in the folder that was built', []],
  [
    'go/no-required-module',
    'go/missing-module',
    'go.mod names no module for github.com/google/uuid (main.go:3)',
    ['main.go:3:8'],
  ],
  [
    'go/syntax',
    'go/compile',
    'Go error in main.go, line 4: syntax error: unexpected newline, expected )',
    ['main.go:4:9'],
  ],
  ['go/unknown-revision', 'go/unknown-version', 'Go finds no github.com/google/uuid v99.0.0 (go.mod:5)', ['go.mod:5']],
  [
    'gradle/broken-script',
    'gradle/broken-script',
    "The Gradle script fails in line 1: Plugin with id 'jaav' not found. (build.gradle:1)",
    ['build.gradle:1'],
  ],
  [
    'gradle/compile',
    'java/compile',
    'Java error in src/main/java/App.java, line 1: incompatible types: String cannot be converted to int',
    ['src/main/java/App.java:1'],
  ],
  ['gradle/no-such-version', 'gradle/cannot-resolve', 'Gradle cannot resolve com.acme:money:9.9', []],
  [
    'java/javac-symbol',
    'java/compile',
    'Java error in src/main/java/com/acme/App.java, line 5: incompatible types: String cannot be converted to int',
    ['src/main/java/com/acme/App.java:5', 'src/main/java/com/acme/App.java:6'],
  ],
  [
    'java/javac-syntax',
    'java/compile',
    "Java error in src/main/java/com/acme/App.java, line 6: ';' expected",
    ['src/main/java/com/acme/App.java:6'],
  ],
  ['maven/broken-pom', 'maven/broken-pom', 'pom.xml cannot be read', []],
  [
    'maven/compile',
    'java/compile',
    'Java error in src/main/java/com/acme/App.java, line 5: incompatible types: java.lang.String cannot be converted to int',
    ['src/main/java/com/acme/App.java:5:17', 'src/main/java/com/acme/App.java:6:24'],
  ],
  ['maven/no-such-version', 'maven/cannot-resolve', 'Maven cannot resolve com.google.guava:guava:jar:999.0', []],
  [
    'memory/java-heap',
    'resources/java-heap',
    'Java ran out of memory (Java heap space) (src/main/java/Hold.java:5)',
    ['src/main/java/Hold.java:5'],
  ],
  ['memory/node-heap', 'resources/node-heap', 'Node.js ran out of heap memory', []],
  ['memory/npm-killed', 'resources/killed', 'Out of memory: the process was killed (exit code 137)', []],
  ['next/no-app', 'next/no-app', 'Next.js found neither an app nor a pages directory', []],
  [
    'next/prerender-crash',
    'crash/next-prerender',
    "Next.js fails to prerender the page /: Cannot read properties of null (reading 'length') (app/page.tsx:3)",
    ['app/page.tsx:3:21'],
  ],
  [
    'next/prerender',
    'environment/said-so',
    'The environment variable API_URL is missing (app/page.tsx:3)',
    ['app/page.tsx:3:19'],
  ],
  ['next/start-without-build', 'modules/next-not-built', 'next start finds no build', []],
  [
    'next/syntax',
    'next/build-error',
    "The Next.js build fails in app/page.tsx, line 4: Expected '</', got '<eof>'",
    ['app/page.tsx:4:1'],
  ],
  ['next/type-error', 'typescript/error', 'TypeScript error TS2322 in app/page.tsx', ['app/page.tsx:2:9']],
  [
    'next/unresolved',
    'next/unresolved',
    'Next.js cannot resolve the import “./gone” (app/page.tsx:1)',
    ['app/page.tsx:1:1'],
  ],
  ['node/missing-file-esm', 'modules/node-file', 'Node.js cannot find the file total.js (server.js)', ['server.js']],
  [
    'node/missing-file',
    'modules/node-file',
    'Node.js cannot find the file ./lib/Total (server.js:1)',
    ['server.js:1:19'],
  ],
  [
    'node/missing-package-esm',
    'modules/node-package',
    'Node.js cannot find the package express (server.js)',
    ['server.js'],
  ],
  [
    'node/missing-package',
    'modules/node-package',
    'Node.js cannot find the package express (server.js:1)',
    ['server.js:1:17'],
  ],
  [
    'node/missing-scoped-package',
    'modules/node-package',
    'Node.js cannot find the package @libsql/client (server.js)',
    ['server.js'],
  ],
  ['node/no-entry', 'scripts/no-entry-file', 'server.js does not exist', []],
  [
    'node/require-in-esm',
    'modules/require-in-esm',
    'CommonJS and ES modules are mixed (server.js:1)',
    ['server.js:1:12'],
  ],
  ['node/syntax', 'node/syntax', "JavaScript syntax error: Unexpected token '{' (server.js:2)", ['server.js:2']],
  ['npm/broken-package-json', 'npm/broken-package-json', 'package.json is not valid JSON', []],
  ['npm/command-not-found', 'scripts/command-not-found', 'The command “vite” does not exist in the image', []],
  ['npm/lock-out-of-step', 'npm/lock-out-of-step', 'package-lock.json does not match package.json (is-odd@3.0.1)', []],
  ['npm/missing-script', 'scripts/missing-script', 'package.json has no script “build”', []],
  ['npm/no-lock', 'npm/no-lock-file', 'npm ci found no package-lock.json', []],
  [
    'npm/no-such-package',
    'npm/no-such-package',
    'npm finds no package @ink-nobody/not-there@1.0.0, or may not read it',
    [],
  ],
  ['npm/no-such-version', 'npm/no-such-version', 'npm finds no version is-number@99.0.0', []],
  [
    'npm/peer-conflict',
    'npm/peer-conflict',
    'npm cannot resolve the dependency tree: react-dom@18.2.0 wants react@"^18.2.0"',
    [],
  ],
  ['npm/wrong-engine', 'npm/wrong-engine', 'The Node.js or npm version does not suit: node >=99 is required', []],
  [
    'php/syntax',
    'php/syntax',
    "PHP syntax error in index.php, line 4: Unclosed '[' on line 3 does not match '}'",
    ['index.php:4'],
  ],
  [
    'pip/build-failed',
    'pip/build-failed',
    'pip could not build a package: “Getting requirements to build wheel” failed',
    [],
  ],
  [
    'pip/conflict',
    'pip/conflict',
    'pip cannot satisfy all requirements at once: requests 2.31.0 depends on urllib3<3 and >=1.21.1',
    [],
  ],
  ['pip/no-requirements', 'pip/no-requirements', 'pip finds no requirements.txt', []],
  ['pip/no-such-version', 'pip/no-such-version', 'pip finds no distribution for requests==99.99.99', []],
  ['pnpm/lock-out-of-step', 'pnpm/lock-out-of-step', 'pnpm-lock.yaml does not match package.json', []],
  ['pnpm/missing-script', 'scripts/missing-script', 'package.json has no script “build”', []],
  ['pnpm/no-lock', 'pnpm/no-lock-file', 'pnpm found no pnpm-lock.yaml', []],
  ['pnpm/no-such-version', 'pnpm/cannot-resolve', 'pnpm cannot resolve is-number@99.0.0', []],
  ['poetry/lock-out-of-step', 'poetry/lock-out-of-step', 'poetry.lock does not match pyproject.toml', []],
  [
    'poetry/no-such-version',
    'poetry/cannot-resolve',
    "Poetry cannot resolve the dependencies: Because shop depends on six (99.0.0) which doesn't match any versions",
    [],
  ],
  [
    'port/django-localhost',
    'port/localhost-only',
    'The application listens on localhost:8000, where the platform cannot reach it',
    [],
  ],
  [
    'port/express-fixed-port',
    'port/other-port',
    'The application listens on port 8080, but nothing answers where the platform looks',
    [],
  ],
  [
    'port/fastify-localhost',
    'port/localhost-only',
    'The application listens on localhost:4000, where the platform cannot reach it',
    [],
  ],
  [
    'port/flask-localhost',
    'port/localhost-only',
    'The application listens on localhost:5000, where the platform cannot reach it',
    [],
  ],
  [
    'port/go-localhost',
    'port/localhost-only',
    'The application listens on localhost:8080, where the platform cannot reach it',
    [],
  ],
  ['port/in-use', 'port/in-use', 'The port 3000 is in use already (server.js:3)', ['server.js:3:21']],
  [
    'port/next-all-interfaces',
    'endings/rollout-deadline',
    'The time ran out while the new version was rolled out: it started, but did not become active',
    [],
  ],
  [
    'port/uvicorn-localhost',
    'port/localhost-only',
    'The application listens on localhost:8000, where the platform cannot reach it',
    [],
  ],
  [
    'port/vite-preview',
    'port/localhost-only',
    'The application listens on localhost:4173, where the platform cannot reach it',
    [],
  ],
  ['python/gunicorn-no-module', 'modules/python', 'Python cannot find the module wsgi', []],
  [
    'python/indentation',
    'python/syntax',
    'Python IndentationError: expected an indented block after function definition on line 1 (main.py, line 2)',
    ['main.py:2'],
  ],
  ['python/missing-driver', 'modules/python', 'Python cannot find the module psycopg (main.py:2)', ['main.py:2']],
  ['python/missing-module', 'modules/python', 'Python cannot find the module flask_nothere (main.py:1)', ['main.py:1']],
  ['python/no-file', 'scripts/no-entry-file', 'app.py does not exist', []],
  ['python/syntax', 'python/syntax', "Python SyntaxError: '(' was never closed (main.py:2)", ['main.py:2']],
  [
    'python/uvicorn-no-app',
    'modules/python-application',
    'The web server cannot load the application: Attribute "application" not found in module "main".',
    [],
  ],
  ['railpack/no-start-command', 'platform/no-start-command', 'Nothing tells how to start the application', []],
  ['railpack/nothing-to-build', 'platform/nothing-to-build', 'Railpack found nothing that it knows how to build', []],
  [
    'rollup/missing-export',
    'rollup/error',
    'The Rollup build fails: src/main.js (1:9): "x" is not exported by "src/other.js", imported by "src/main.js".',
    ['src/main.js:1:9'],
  ],
  [
    'rollup/syntax',
    'rollup/error',
    'The Rollup build fails: src/main.js (1:10): Expression expected',
    ['src/main.js:1:10'],
  ],
  [
    'rollup/unresolved',
    'rollup/unresolved',
    'Rollup cannot resolve the import “./gone.js” in src/main.js',
    ['src/main.js'],
  ],
  ['ruby/missing-gem', 'modules/ruby', 'Ruby cannot load sinatra (app.rb:1)', ['app.rb:1']],
  [
    'ruby/syntax',
    'ruby/syntax',
    "Ruby syntax error in app.rb, line 2: syntax error, unexpected integer literal, expecting ')'",
    ['app.rb:2'],
  ],
  ['script/make-no-target', 'scripts/make-target', 'The Makefile has no target “build”', []],
  ['script/no-file', 'scripts/command-not-found', 'The command “./start.sh” does not exist in the image', []],
  ['script/not-executable', 'scripts/not-executable', './start.sh may not be executed', []],
  [
    'typescript/errors-pretty',
    'typescript/error',
    'TypeScript error TS2322 in src/app.ts, and 4 more',
    ['src/app.ts:1:7', 'src/app.ts:3:10', 'src/app.ts:3:20'],
  ],
  [
    'typescript/errors-v6',
    'typescript/error',
    'TypeScript error TS2322 in src/app.ts, and 4 more',
    ['src/app.ts:1:7', 'src/app.ts:3:10', 'src/app.ts:3:20'],
  ],
  [
    'typescript/errors',
    'typescript/error',
    'TypeScript error TS2322 in src/app.ts, and 4 more',
    ['src/app.ts:1:7', 'src/app.ts:3:10', 'src/app.ts:3:20'],
  ],
  [
    'typescript/no-inputs',
    'typescript/project',
    "TypeScript error TS18003: No inputs were found in config file '/app/tsconfig.json'. Specified 'include' paths were '[\"src\"]' and 'exclude' paths were '[]'.",
    [],
  ],
  [
    'typescript/syntax',
    'typescript/error',
    'TypeScript error TS1005 in src/app.ts, and 2 more',
    ['src/app.ts:2:10', 'src/app.ts:3:1', 'src/app.ts:4:1'],
  ],
  ['uv/lock-out-of-step', 'uv/lock-out-of-step', 'uv.lock does not match pyproject.toml', []],
  ['uv/no-lock', 'uv/lock-out-of-step', 'uv found no uv.lock, but was told to install from it', []],
  [
    'uv/no-such-version',
    'uv/cannot-resolve',
    'uv cannot resolve the dependencies: there is no version of six==99.0.0',
    [],
  ],
  [
    'vite/missing-export',
    'vite/error',
    'The Vite build fails in src/main.ts, line 1: "x" is not exported by "src/other.ts".',
    ['src/main.ts:1:10'],
  ],
  ['vite/no-index', 'vite/no-entry', 'Vite finds no index.html', []],
  ['vite/syntax', 'vite/error', 'The Vite build fails in src/main.ts, line 2: Unexpected token', ['src/main.ts:2:12']],
  [
    'vite/unresolved-import',
    'vite/unresolved',
    'Vite cannot resolve the import “./gone” in src/main.ts',
    ['src/main.ts:1:19'],
  ],
  [
    'vite/unresolved-package',
    'vite/unresolved',
    'Vite cannot resolve the import “not-installed” in src/main.ts',
    ['src/main.ts'],
  ],
  [
    'webpack/syntax',
    'webpack/error',
    'The webpack build fails in src/index.js, line 2: Module parse failed: Unexpected token (2:11)',
    ['src/index.js:2:11'],
  ],
  [
    'webpack/unresolved',
    'webpack/unresolved',
    'webpack cannot resolve the import “./gone” in src, and 1 more (src/index.js:1)',
    ['src/index.js:1:1', 'src/index.js:2:1'],
  ],
  ['yarn/berry-lock-out-of-step', 'yarn/lock-out-of-step', 'yarn.lock does not match package.json', []],
  ['yarn/berry-missing-script', 'scripts/missing-script', 'package.json has no script “build”', []],
  ['yarn/berry-no-such-version', 'yarn/cannot-resolve', 'Yarn cannot resolve is-number@99.0.0', []],
  ['yarn/classic-lock-out-of-step', 'yarn/lock-out-of-step', 'yarn.lock does not match package.json', []],
  ['yarn/classic-missing-script', 'scripts/missing-script', 'package.json has no script “build”', []],
  ['yarn/classic-no-such-version', 'yarn/cannot-resolve', 'Yarn cannot resolve is-number@99.0.0', []],
]

/** What the platform says in its error message, without a log. */
const SAID: readonly (readonly [string, string, string])[] = [
  ['HTTP 402: payment required', 'platform/payment', 'The ml.ink account cannot pay for this deployment'],
  ['service limit reached: 5 of 5', 'platform/quota', 'The account’s limit is reached: service limit reached: 5 of 5'],
  [
    'failed to start deployment: unknown region "mars-1"',
    'platform/region',
    'The region “mars-1” is unknown or not available',
  ],
  [
    'region "us-1" is not available (status=draining)',
    'platform/region',
    'The region “us-1” is unknown or not available',
  ],
  [
    'build failed: root_directory "apps/web" not found',
    'platform/no-root-directory',
    'The root directory does not exist in what was deployed',
  ],
  [
    'failed to compute cache key: failed to calculate checksum of ref: "/app/dist": not found',
    'platform/missing-path',
    'dist does not exist where the image is put together',
  ],
  ['container exceeded its memory limit', 'resources/killed', 'Out of memory: the process was killed (exit code 137)'],
  [
    'clone failed: repository not found: me/shop-ab12',
    'platform/clone-failed',
    'The platform could not fetch the pushed commit',
  ],
  [
    'activity StartToClose timeout: the build took too long',
    'platform/build-timeout',
    'The build took longer than the platform allows (10 minutes)',
  ],
  [
    'container exited with code 1 before accepting connections',
    'endings/exited',
    'The application ended with exit code 1 instead of serving',
  ],
  [
    'timed out waiting for rollout: nothing accepts connections on $PORT on 0.0.0.0',
    'endings/rollout-timeout',
    'The container started, but never accepted connections on its port',
  ],
]

/** Lines that no tool at hand could be made to print. */
const LINES: readonly (readonly [string, string, string])[] = [
  [
    `Could not resolve placeholder 'payment.key' in value "\${payment.key}"`,
    'environment/spring',
    'The environment variable PAYMENT_KEY is missing',
  ],
  [
    'FATAL: password authentication failed for user "shop"',
    'database/credentials',
    'The database refused the credentials',
  ],
  ['Error: Could not find or load main class com.acme.App', 'modules/java', 'Java cannot find the class com.acme.App'],
]

const placesOf = (sample: string) =>
  diagnose(failureOf(sample)).annotations.map(({ file, line, column }) =>
    [file, line, column].filter((part) => part !== undefined).join(':'),
  )

describe('the cause of a failure', () => {
  it.each(KNOWN)('%s is recognised by %s', (sample, recogniser, cause, places) => {
    const diagnosis = diagnose(failureOf(sample))
    expect([diagnosis.recogniser, diagnosis.cause]).toEqual([recogniser, cause])
    expect(placesOf(sample).slice(0, 3)).toEqual(places)
    expect(diagnosis.hint).not.toBe('')
    expect(diagnosis.decisive.join('\n')).toContain(diagnosis.evidence[0]?.line)
  })

  it.each(SAID)('is read off the platform’s own words: %s', (errorMessage, recogniser, cause) => {
    const failure = { ...failureOf('none'), errorMessage, phase: 'rolling-out' } as const
    expect(diagnose(failure)).toMatchObject({ recogniser, cause })
  })

  it.each(LINES)('is read off the line %s', (line, recogniser, cause) => {
    expect(diagnose({ ...failureOf('none'), verdict: 'crashed', runtimeLog: [line] })).toMatchObject({
      recogniser,
      cause,
    })
  })

  it('is known for every sample, and every recogniser has one', () => {
    expect(KNOWN.map(([sample]) => sample).toSorted()).toEqual(
      SAMPLES.filter((sample) => !sample.startsWith('healthy/')),
    )
    const used = new Set([...KNOWN, ...SAID, ...LINES].map((row) => row[1]))
    const deadline = ['endings/build-deadline']
    expect(RECOGNISERS.map(({ name }) => name).filter((name) => !used.has(name) && !deadline.includes(name))).toEqual(
      [],
    )
  })

  it('keeps its recognisers’ names unique', () => {
    const names = RECOGNISERS.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  it('is not made up from the log of a build that succeeded', () => {
    const healthy = SAMPLES.filter((sample) => sample.startsWith('healthy/'))
    expect(healthy.length).toBeGreaterThan(5)
    const found = healthy.map((sample) => [
      sample,
      diagnose({ ...failureOf('none'), deployLog: sampleLines(sample) }).recogniser,
    ])
    expect(found).toEqual(healthy.map((sample) => [sample, 'unknown']))
  })

  it.each(KNOWN.filter(([sample]) => !sample.startsWith('buildkit/')))(
    'of %s is the same under the prefixes of BuildKit',
    (sample, recogniser, cause, places) => {
      const failure = failureOf(sample)
      const prefixed = (lines: readonly string[]) => lines.map((line, index) => `#9 ${index}.250 ${line}`)
      const diagnosis = diagnose({
        ...failure,
        deployLog: prefixed(failure.deployLog),
        runtimeLog: failure.runtimeLog.map((line) => `2026-11-22T10:04:05.123456Z ${line}`),
      })
      expect([diagnosis.recogniser, diagnosis.cause]).toEqual([recogniser, cause])
      expect(diagnosis.annotations.length).toBeGreaterThanOrEqual(places.length)
    },
  )

  it('keeps the samples free of this and any machine’s paths', () => {
    const foreign = SAMPLES.filter((sample) =>
      /\/home\/(?!app|node)|\/Users\/|\/root\/\.\w+\/versions/.test(sampleLines(sample).join('\n')),
    )
    expect(foreign).toEqual([])
    expect(readdirSync(new URL('./samples', import.meta.url)).length).toBeGreaterThan(30)
  })
})
