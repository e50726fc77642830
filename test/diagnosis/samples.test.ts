import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { failureOf, SAMPLES, sampleLines } from './samples.ts'

/** Sample, cause, the first places annotated. */
const KNOWN: readonly (readonly [string, string, readonly string[]])[] = [
  ['build/bun-404', 'The build failed: GET https://registry.example/@acme-none%2fprivate - 404', []],
  [
    'build/bun-json',
    "The build failed: ParserError: failed to parse '/app/package.json' (package.json:1)",
    ['package.json:1:39'],
  ],
  ['build/bun-test', 'The build failed: expect(received).toBe(expected) (a.test.ts)', ['a.test.ts']],
  [
    'build/bundle-net',
    'The build failed: Could not reach host rubygems.invalid. Check your network connection and try again.',
    [],
  ],
  [
    'build/bundle-syntax',
    'The build failed: There was an error parsing `Gemfile`: unterminated string meets end of file - gem "sinatra (Gemfile:1)',
    ['Gemfile:1'],
  ],
  ['build/cargo-env', 'The environment variable DATABASE_URL is missing (src/main.rs:1)', ['src/main.rs:1:28']],
  [
    'build/cargo-test',
    "The build failed: thread 'works' (25934) panicked at src/lib.rs:3:13: assertion `left == right` failed: order total",
    ['src/lib.rs:3:13'],
  ],
  [
    'build/cargo-trait',
    'The build failed: error[E0277]: the trait bound `S: Clone` is not satisfied (src/main.rs:3)',
    ['src/main.rs:3:14', 'src/main.rs:1:9'],
  ],
  ['build/composer-json', 'The build failed: Parse error on line 1: ...": { "php": "^8.0", } }', []],
  [
    'build/deno-check',
    "The build failed: TS2322 [ERROR]: Type 'string' is not assignable to type 'number'. (server.ts:1)",
    ['server.ts:1:7'],
  ],
  ['build/django-check', "The build failed: ModuleNotFoundError: No module named 'shopsite.gone'", []],
  [
    'build/django-collect',
    "The build failed: ModuleNotFoundError: No module named 'orders' (manage.py:18)",
    ['manage.py:18'],
  ],
  [
    'build/django-static',
    "The build failed: django.core.exceptions.ImproperlyConfigured: You're using the staticfiles app without having set the STATIC_ROOT setting to a filesystem path. (manage.py:18)",
    ['manage.py:18'],
  ],
  [
    'build/esbuild',
    '`esbuild src/index.js --bundle --outfile=dist/a.js` failed: Unexpected ";" (src/index.js:1)',
    ['src/index.js:1:56'],
  ],
  [
    'build/esbuild-import',
    '`esbuild src/index.js --bundle --outfile=dist/a.js` failed: Could not resolve "./gone" (src/index.js:1)',
    ['src/index.js:1:14'],
  ],
  [
    'build/esbuild-loader',
    '`esbuild src/a.js --bundle` failed: No loader is configured for ".avif2" files: src/logo.avif2 (src/a.js:1)',
    ['src/a.js:1:7'],
  ],
  [
    'build/eslint',
    "`eslint .` failed: 'a' is assigned a value but never used no-unused-vars (src/index.js:1)",
    ['src/index.js:1:7', 'src/index.js:2:1'],
  ],
  [
    'build/eslint-rule',
    '`eslint .` failed: A configuration object specifies rule "nope/x", but could not find plugin "nope".',
    [],
  ],
  [
    'build/gcc',
    'The build failed: error: ‘retrun’ undeclared (first use in this function) (main.c:1)',
    ['main.c:1:13', 'main.c:1:19'],
  ],
  [
    'build/gcc-header',
    'The build failed: fatal error: openssl/gone.h: No such file or directory (main.c:1)',
    ['main.c:1:10'],
  ],
  ['build/gcc-link', "The build failed: main.c:(.text+0xa): undefined reference to `foo' (Makefile:2)", ['Makefile:2']],
  ['build/go-embed', 'The build failed: pattern web/dist: no matching files found (main.go:5)', ['main.go:5:12']],
  [
    'build/go-method',
    'The build failed: s.Missing undefined (type store.Store has no field or method Missing) (cmd/api/main.go:7)',
    ['cmd/api/main.go:7:4', 'cmd/api/main.go:8:9'],
  ],
  [
    'build/go-nopkg',
    'The build failed: package shop/internal/gone is not in std (/usr/local/go/src/shop/internal/gone) (cmd/api/main.go:3)',
    ['cmd/api/main.go:3:8'],
  ],
  [
    'build/go-std',
    'The build failed: package shop/internal/gone is not in std (/usr/local/go/src/shop/internal/gone) (cmd/api/main.go:3)',
    ['cmd/api/main.go:3:8', 'internal/store/store.go:3:8'],
  ],
  [
    'build/go-test',
    'The build failed: --- FAIL: TestA (0.00s) main_test.go:5: order total is wrong',
    ['main_test.go:5'],
  ],
  ['build/go-toolchain', 'go.mod requires Go 1.99, but the build has Go 1.26.8', []],
  [
    'build/go-vet',
    'The build failed: fmt.Printf format %d has arg "x" of wrong type string (main.go:5)',
    ['main.go:5:27'],
  ],
  [
    'build/gradle-dep',
    "The build failed: Could not resolve all files for configuration ':compileClasspath': No cached version of com.acme:nothing:1.0 available for offline mode.",
    [],
  ],
  [
    'build/gradle-syntax',
    "The build failed: Could not compile build file '/app/build.gradle': startup failed: build file '/app/build.gradle': 1: expecting anything but ''\\n''; got it anyway @ line 1, column 20. (build.gradle:1)",
    ['build.gradle:1'],
  ],
  [
    'build/gradle-task',
    "The build failed: Execution failed for task ':x': no signing key (build.gradle:2)",
    ['build.gradle:2'],
  ],
  ['build/javac', 'Java cannot find symbol: variable y (A.java:1)', ['A.java:1']],
  [
    'build/javac-pkg',
    'The build failed: error: package org.springframework.boot does not exist (src/main/java/com/acme/App.java:2)',
    ['src/main/java/com/acme/App.java:2'],
  ],
  [
    'build/javac-sym',
    'Java cannot find symbol: class OrderService (src/main/java/com/acme/App.java:4)',
    ['src/main/java/com/acme/App.java:4', 'src/main/java/com/acme/App.java:5'],
  ],
  ['build/jest-missing', 'The command “jest” does not exist in the image', []],
  ['build/make-cmd', 'The build failed: make: frobnicate: No such file or directory (Makefile:2)', ['Makefile:2']],
  [
    'build/next-alias',
    "`next build` failed: Module not found: Can't resolve '@/lib/price' (app/(shop)/[slug]/page.jsx)",
    ['app/(shop)/[slug]/page.jsx'],
  ],
  [
    'build/next-client',
    '`next build` failed: You\'re importing a component that needs `useState`. This React Hook only works in a Client Component. To fix, mark the file (or its parent) with the `"use client"` directive. (app/(shop)/[slug]/page.jsx:1)',
    ['app/(shop)/[slug]/page.jsx:1:1'],
  ],
  ['build/next-config', '`next build` failed: [SyntaxError: Unexpected end of input]', []],
  [
    'build/next-conflict',
    '`next build` failed: You cannot have two parallel pages that resolve to the same path. Please check /x/page and /x/route. Refer to the route group docs for more information: https://nextjs.org/docs/app/building-your-applica… (app/x/page.jsx)',
    ['app/x/page.jsx'],
  ],
  [
    'build/next-envcrash',
    "Next.js fails to prerender the page /: TypeError: Cannot read properties of undefined (reading 'length')",
    [],
  ],
  ['build/next-fs', "`next build` failed: Module not found: Can't resolve 'fs' (app/x/page.jsx)", ['app/x/page.jsx']],
  [
    'build/next-gssp',
    '`next build` failed: "getServerSideProps" is not supported in app/. Read more: https://nextjs.org/docs/app/building-your-application/data-fetching (app/x/page.jsx:1)',
    ['app/x/page.jsx:1:1'],
  ],
  [
    'build/next-syntax',
    '`next build` failed: Expression expected (app/(shop)/[slug]/page.jsx:3)',
    ['app/(shop)/[slug]/page.jsx:3:1'],
  ],
  [
    'build/npm-404',
    'npm finds no package @acme-none/private@1 in the registry (404 Not Found), or may not read it',
    [],
  ],
  ['build/npm-engine', 'The Node.js or npm version does not suit: node >=99 is required, and it is 20.20.2', []],
  ['build/npm-git', 'The build failed: ssh: Could not resolve hostname github.invalid: Name or service not known', []],
  [
    'build/npm-peer',
    'Peer dependency conflict: react-dom@18.2.0 wants react@"^18.2.0", but react@17.0.0 is installed (npm cannot resolve the dependency tree)',
    [],
  ],
  ['build/npm-postinstall', "`node scripts/setup.js` failed: Cannot find module '/app/scripts/setup.js'", []],
  ['build/npm-workspace', 'The build failed: Unsupported URL Type "workspace:": workspace:*', []],
  [
    'build/parcel',
    "`parcel build index.html` failed: @parcel/resolver-default: Cannot load file './src/app.ts' in './'. (index.html:1)",
    ['index.html:1:1'],
  ],
  [
    'build/pip-nested',
    "The build failed: Could not open requirements file: [Errno 2] No such file or directory: 'base.txt'",
    [],
  ],
  [
    'build/pip-none',
    'The build failed: Could not find a version that satisfies the requirement flsk-nothing-here==1.0',
    [],
  ],
  ['build/pip-syntax', "The build failed: Invalid requirement: 'flask=1.0' (from line 1 of requirements.txt)", []],
  [
    'build/pnpm-404',
    'The build failed: ERR_PNPM_FETCH_404 GET https://registry.example/@acme-none%2Fprivate: Not Found - 404',
    [],
  ],
  ['build/pnpm-engine', 'The Node.js or npm version does not suit: >=99 is required, and it is 10.34.9', []],
  [
    'build/pnpm-file',
    'The build failed: ERR_PNPM_LINKED_PKG_DIR_NOT_FOUND Could not install from "/gone" as it does not exist.',
    [],
  ],
  ['build/pnpm-git', 'The build failed: ssh: Could not resolve hostname github.invalid: Name or service not known', []],
  [
    'build/pnpm-json',
    'The build failed: ERROR Expected \',\' or \'}\' after property value in JSON at position 39 while parsing \'{"name":"shop", "dependencies": {"a":1}\' in /app/package.json',
    [],
  ],
  [
    'build/pnpm-workspace',
    'The build failed: ERR_PNPM_WORKSPACE_PKG_NOT_FOUND In : "x@workspace:*" is in the dependencies but no package named "x" is present in the workspace',
    [],
  ],
  [
    'build/poetry-toml',
    'The build failed: Invalid TOML file /app/pyproject.toml: Control characters (codes less than 0x1f and 0x7f) are not allowed in strings, use \\u000a instead at line 3 col 12',
    [],
  ],
  [
    'build/poetry-version',
    "The build failed: Because shop depends on flask (^99) which doesn't match any versions, version solving failed.",
    [],
  ],
  [
    'build/prisma-migrate',
    'The build failed: request to https://binaries.example/all_commits/c2990dca591cba766e3b7ef5d9e8a84796e47ab7/debian-openssl-3.0.x/schema-engine.gz.sha256 failed, reason: getaddrinfo ENOTFOUND binaries.example',
    [],
  ],
  [
    'build/prisma-schema',
    '`prisma generate` failed: request to https://binaries.example/all_commits/c2990dca591cba766e3b7ef5d9e8a84796e47ab7/debian-openssl-3.0.x/schema-engine.gz.sha256 failed, reason: getaddrinfo ENOTFOUND binaries.example',
    [],
  ],
  ['build/py-compile', 'The build failed: SyntaxError: invalid syntax (bad.py:1)', ['bad.py:1']],
  ['build/pytest', "The build failed: ModuleNotFoundError: No module named 'yaml_gone' (t.py:1)", ['t.py:1']],
  ['build/rake', 'The build failed: asset host is not configured (Rakefile:2)', ['Rakefile:2']],
  [
    'build/rollup-config',
    "`rollup -c` failed: Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'rollup-plugin-gone' imported from /app/rollup.config.js",
    ['rollup.config.js'],
  ],
  ['build/ruby-version', 'The Gemfile wants Ruby 9.9.9, but the build has Ruby 3.1.2', []],
  ['build/rust-borrow', 'The build failed: error[E0308]: mismatched types (src/main.rs:6)', ['src/main.rs:6:19']],
  [
    'build/rust-edition',
    'The build failed: failed to parse manifest at `/app/Cargo.toml`: this version of Cargo is older than the `2027` edition, and only supports `2015`, `2018`, `2021`, and `2024` editions.',
    [],
  ],
  [
    'build/rust-macro',
    'The build failed: cannot find macro `missing_macro` in this scope (src/main.rs:1)',
    ['src/main.rs:1:28'],
  ],
  [
    'build/rust-mod',
    'The build failed: error[E0583]: file not found for module `orders` (src/main.rs:1)',
    ['src/main.rs:1:1'],
  ],
  ['build/rust-toml', 'The build failed: unclosed table, expected `]` (Cargo.toml:1)', ['Cargo.toml:1:9']],
  [
    'build/svelte-check',
    "The build failed: Type 'string' is not assignable to type 'number'. (ts) (src/routes/shop/[id]/+page.svelte:2)",
    ['src/routes/shop/[id]/+page.svelte:2:7'],
  ],
  [
    'build/tsc-b',
    "`tsc -b` failed: error TS2322: Type 'number' is not assignable to type 'string'. (packages/a/src/i.ts:1)",
    ['packages/a/src/i.ts:1:14'],
  ],
  [
    'build/turbo',
    '`turbo run build` failed: Could not resolve workspace: Missing `devEngines.packageManager` or legacy `packageManager` field',
    [],
  ],
  [
    'build/uv-python',
    'The build failed: No interpreter found for Python >=3.99 in managed installations or search path',
    [],
  ],
  ['build/uv-toml', 'The build failed: Failed to parse: pyproject.toml', []],
  [
    'build/uv-version',
    "The build failed: No solution found when resolving dependencies: Because there is no version of flask==99 and your project depends on flask==99, we can conclude that your project's requirements are unsatisfiable.",
    [],
  ],
  ['build/vite-config', "`vite build` failed: TypeError: Cannot read properties of null (reading 'x')", []],
  [
    'build/vite-css',
    '`vite build` failed: [vite:css] [postcss] /app/src/style.css:2:16: Unexpected }',
    ['src/style.css:2:16'],
  ],
  [
    'build/vite-json',
    '`vite build` failed: [vite:json] [plugin vite:json] src/data.json (1:9): Failed to parse JSON file, invalid JSON syntax found at position 9',
    ['src/data.json:1:9'],
  ],
  ['build/vite-missing', '`vite build` failed: Could not resolve "./App" from "src/main.tsx"', ['src/main.tsx']],
  [
    'build/vite-plugin',
    "`vite build` failed: Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@vitejs/plugin-gone' imported from /app/node_modules/.vite-temp/vite.config.js.timestamp-1795697337166-ed14e6e52bda2.mjs",
    [],
  ],
  [
    'build/vite-tsc',
    "The build failed: error TS2307: Cannot find module './App' or its corresponding type declarations. (src/main.tsx:1)",
    ['src/main.tsx:1:17'],
  ],
  [
    'build/vue-tsc',
    "`vue-tsc --noEmit` failed: error TS2322: Type 'string' is not assignable to type 'number'. (src/App.vue:2)",
    ['src/App.vue:2:7', 'src/App.vue:4:17'],
  ],
  [
    'build/webpack-syntax',
    '`webpack --mode production` failed: Module parse failed: Unexpected token (2:0) (src/index.js:2)',
    ['src/index.js:2:1'],
  ],
  ['build/yarn-404', 'The build failed: Couldn\'t find package "@acme-none/private" on the "npm" registry.', []],
  [
    'build/yarn-engine',
    'The Node.js version does not suit: needs Node.js >=99, but the build runs Node.js 20.20.2',
    [],
  ],
  ['build/yarn-git', 'The build failed: ssh: Could not resolve hostname github.invalid: Name or service not known', []],
  [
    'build/yarn-json',
    "The build failed: SyntaxError: /app/package.json: Expected ',' or '}' after property value in JSON at position 39",
    [],
  ],
  [
    'build/yarn-pm',
    'The build failed: This project\'s package.json defines "packageManager": "yarn@pnpm@10.0.0". However the current global version of Yarn is 1.22.22.',
    [],
  ],
  ['build/yarn-workspace', 'The build failed: Couldn\'t find any versions for "x" that matches "workspace:*"', []],
  ['buildkit/command-failed', '`make assets` failed with exit code 3', []],
  ['buildkit/killed', 'Out of memory: the process was killed (exit code 137)', []],
  ['buildkit/no-dockerfile', 'There is no Dockerfile where the platform looks for it: the file does not exist', []],
  ['buildkit/npm-lock-out-of-step', 'package-lock.json does not match package.json: is-odd@3.0.1', []],
  ['bun/lock-out-of-step', 'bun.lock does not match package.json', []],
  ['bun/missing-script', 'package.json has no script “build”', []],
  [
    'bun/no-such-version',
    'The build failed: No version matching "99.0.0" found for specifier "is-number" (but package exists)',
    [],
  ],
  ['bun/syntax-error', 'The build failed: Unexpected ; (index.ts:1)', ['index.ts:1:11']],
  ['bundler/lock-out-of-step', 'Gemfile.lock does not match the Gemfile', []],
  [
    'bundler/no-such-gem',
    "The build failed: Could not find gem 'sinatra (= 99.0)' in cached gems or installed locally.",
    [],
  ],
  [
    'cargo/compile',
    'The build failed: error[E0425]: cannot find value `totla` in this scope (src/main.rs:3)',
    ['src/main.rs:3:20', 'src/main.rs:2:22'],
  ],
  ['cargo/lock-out-of-step', 'Cargo.lock does not match Cargo.toml', []],
  [
    'cargo/missing-crate',
    'The build failed: error[E0432]: unresolved import `serde` (src/main.rs:1)',
    ['src/main.rs:1:5'],
  ],
  ['cargo/no-such-version', 'The build failed: failed to select a version for the requirement `itoa = "^99"`', []],
  ['cargo/syntax', 'The build failed: mismatched closing delimiter: `}` (src/main.rs:2)', ['src/main.rs:2:17']],
  ['composer/lock-out-of-step', 'The build failed: Required package "acme/mail" is not present in the lock file.', []],
  [
    'composer/no-such-version',
    'The build failed: Root composer.json requires acme/money ^9, found acme/money[1.0.0] but it does not match the constraint.',
    [],
  ],
  ['crash/go-panic', 'The app does not start: assignment to entry in nil map (main.go:5)', ['main.go:5']],
  [
    'crash/java-exception',
    'The app does not start: Exception in thread "main" java.lang.ArrayIndexOutOfBoundsException: Index 2 out of bounds for length 0 (src/main/java/App.java:4)',
    ['src/main/java/App.java:4'],
  ],
  [
    'crash/node',
    "The app does not start: TypeError: Cannot read properties of undefined (reading 'url') (server.js:2)",
    ['server.js:2:26'],
  ],
  ['crash/node-rejection', 'The app does not start: config file is empty (server.js:2)', ['server.js:2:9']],
  [
    'crash/php',
    'The app does not start: Uncaught DivisionByZeroError: Division by zero in /app/index.php:3',
    ['index.php:3'],
  ],
  ['crash/python-traceback', 'The app does not start: ZeroDivisionError: division by zero (main.py:2)', ['main.py:2']],
  ['crash/ruby', "The app does not start: app.rb:2:in `fetch': key not found: :count (KeyError)", ['app.rb:2']],
  [
    'crash/rust-panic',
    "The app does not start: thread 'main' (21515) panicked at src/main.rs:3:26: index out of bounds: the len is 0 but the index is 3",
    ['src/main.rs:3:26'],
  ],
  ['database/host-unknown', 'The app does not start: getaddrinfo ENOTFOUND db.internal.invalid', []],
  [
    'database/mongo-refused',
    'Connection refused: nothing answers at 127.0.0.1:27017 (Mongo) (server.js:2)',
    ['server.js:2:1'],
  ],
  ['database/mysql-refused', 'Connection refused: nothing answers at 127.0.0.1:3306 (server.js:2)', ['server.js:2:23']],
  [
    'database/no-such-table',
    'The app does not start: sqlite3.OperationalError: no such table: orders (main.py:2)',
    ['main.py:2'],
  ],
  ['database/pg-refused', 'Connection refused: nothing answers at 127.0.0.1:5432', []],
  [
    'database/psycopg-refused',
    'Connection refused: nothing answers at 127.0.0.1:5432 (psycopg) (main.py:2)',
    ['main.py:2'],
  ],
  ['database/redis-refused', 'Connection refused: nothing answers at 127.0.0.1:6379 (redis)', []],
  ['disk/node', 'The disk is full (build.js:1)', ['build.js:1:24']],
  ['disk/npm', 'The disk is full', []],
  ['disk/pip', 'The disk is full', []],
  ['docker/no-context', 'The root directory “services/web” does not exist in what was deployed', []],
  [
    'docker/no-dockerfile-legacy',
    'There is no Dockerfile where the platform looks for it: the file does not exist',
    [],
  ],
  ['environment/django-secret', 'The environment variable SECRET_KEY is missing', []],
  ['environment/go-fatal', 'The environment variable STRIPE_KEY is missing', []],
  ['environment/node-exit', 'The environment variable SESSION_SECRET is missing', []],
  ['environment/node-throw', 'The environment variable DATABASE_URL is missing (server.js:2)', ['server.js:2:17']],
  [
    'environment/pydantic',
    'Settings are missing: Settings requires the environment variable database_url (main.py:4)',
    ['main.py:4'],
  ],
  ['environment/python-key-error', 'The environment variable DATABASE_URL is missing (main.py:4)', ['main.py:4']],
  ['environment/ruby-key-error', 'The environment variable DATABASE_URL is missing (app.rb:1)', ['app.rb:1']],
  [
    'environment/rust-not-present',
    "The app does not start: thread 'main' (349) panicked at src/main.rs:2:45: called `Result::unwrap()` on an `Err` value: NotPresent",
    ['src/main.rs:2:45'],
  ],
  [
    'environment/zod',
    'The environment variable DATABASE_URL is missing or not as the schema (zod) requires (server.js:3)',
    ['server.js:3:5'],
  ],
  [
    'eslint/errors',
    "`eslint src` failed: 'a' is assigned a value but never used no-unused-vars (src/app.js:1)",
    ['src/app.js:1:7', 'src/app.js:2:5', 'src/app.js:2:13'],
  ],
  [
    'go/compile',
    'The build failed: "fmt" imported and not used (main.go:3)',
    ['main.go:3:8', 'main.go:6:6', 'main.go:6:14'],
  ],
  [
    'go/missing-go-sum',
    'The build failed: missing go.sum entry for module providing package github.com/google/uuid (imported by shop); to add: (main.go:3)',
    ['main.go:3:8'],
  ],
  ['go/no-files', 'The build failed: no Go files in /app', []],
  [
    'go/no-required-module',
    'The build failed: no required module provides package github.com/google/uuid; to add it: go get github.com/google/uuid (main.go:3)',
    ['main.go:3:8'],
  ],
  ['go/syntax', 'The build failed: syntax error: unexpected newline, expected ) (main.go:4)', ['main.go:4:9']],
  [
    'go/unknown-revision',
    'The build failed: require github.com/google/uuid: version "v99.0.0" invalid: should be v0 or v1, not v99 (go.mod:5)',
    ['go.mod:5'],
  ],
  ['gradle/broken-script', "The build failed: Plugin with id 'jaav' not found. (build.gradle:1)", ['build.gradle:1']],
  [
    'gradle/compile',
    'The build failed: error: incompatible types: String cannot be converted to int (src/main/java/App.java:1)',
    ['src/main/java/App.java:1'],
  ],
  [
    'gradle/no-such-version',
    "The build failed: Could not resolve all files for configuration ':compileClasspath': Could not find com.acme:money:9.9.",
    [],
  ],
  [
    'java/javac-symbol',
    'The build failed: error: incompatible types: String cannot be converted to int (src/main/java/com/acme/App.java:5)',
    ['src/main/java/com/acme/App.java:5', 'src/main/java/com/acme/App.java:6'],
  ],
  [
    'java/javac-syntax',
    "The build failed: error: ';' expected (src/main/java/com/acme/App.java:6)",
    ['src/main/java/com/acme/App.java:6'],
  ],
  [
    'maven/broken-pom',
    'The build failed: Non-readable POM /app/pom.xml: no more data available - expected end tag </project> to close start tag <project> from line 1, parser stopped on END_TAG seen ...</modelVersion>\\n... @2:1 @',
    [],
  ],
  [
    'maven/compile',
    'The build failed: incompatible types: java.lang.String cannot be converted to int (src/main/java/com/acme/App.java:5)',
    ['src/main/java/com/acme/App.java:5:17', 'src/main/java/com/acme/App.java:6:24'],
  ],
  [
    'maven/no-such-version',
    'The build failed: Failed to execute goal on project shop: Could not resolve dependencies for project com.acme:shop:jar:1.0.0: Could not find artifact com.google.guava:guava:jar:999.0 in central (https://maven.example)',
    [],
  ],
  [
    'memory/java-heap',
    'Java ran out of memory (Java heap space) (src/main/java/Hold.java:5)',
    ['src/main/java/Hold.java:5'],
  ],
  ['memory/node-heap', 'Node.js ran out of heap memory', []],
  ['memory/npm-killed', 'Out of memory: the process was killed (exit code 137)', []],
  [
    'next/no-app',
    "`next build` failed: Couldn't find any `pages` or `app` directory. Please create one under the project root",
    [],
  ],
  ['next/prerender', 'The environment variable API_URL is missing (app/page.tsx:3)', ['app/page.tsx:3:19']],
  [
    'next/prerender-crash',
    "Next.js fails to prerender the page /: TypeError: Cannot read properties of null (reading 'length') (app/page.tsx:3)",
    ['app/page.tsx:3:21'],
  ],
  [
    'next/start-without-build',
    "`next start` failed: Could not find a production build in the '.next' directory. Try building your app with 'next build' before starting the production server. https://nextjs.org/docs/messages/production-start-no-build-id",
    [],
  ],
  ['next/syntax', "`next build` failed: Expected '</', got '<eof>' (app/page.tsx:4)", ['app/page.tsx:4:1']],
  [
    'next/type-error',
    "`next build` failed: error TS2322: Type 'string' is not assignable to type 'number'. (app/page.tsx:2)",
    ['app/page.tsx:2:9'],
  ],
  [
    'next/unresolved',
    "`next build` failed: Module not found: Can't resolve './gone' (app/page.tsx:1)",
    ['app/page.tsx:1:1'],
  ],
  ['node/missing-file', "The app does not start: Cannot find module './lib/Total' (server.js:1)", ['server.js:1:19']],
  [
    'node/missing-file-esm',
    "The app does not start: Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/app/total.js' imported from /app/server.js",
    ['server.js'],
  ],
  ['node/missing-package', "The app does not start: Cannot find module 'express' (server.js:1)", ['server.js:1:17']],
  [
    'node/missing-package-esm',
    "The app does not start: Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'express' imported from /app/server.js",
    ['server.js'],
  ],
  [
    'node/missing-scoped-package',
    "The app does not start: Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@libsql/client' imported from /app/server.js",
    ['server.js'],
  ],
  ['node/no-entry', 'The start command runs server.js, which does not exist (Cannot find module)', []],
  ['node/require-in-esm', 'CommonJS and ES modules are mixed (server.js:1)', ['server.js:1:12']],
  ['node/syntax', "The app does not start: SyntaxError: Unexpected token '{' (server.js:2)", ['server.js:2']],
  [
    'npm/broken-package-json',
    'The build failed: JSON.parse Invalid package.json: JSONParseError: Expected double-quoted property name in JSON at position 60 while parsing near "...pts\\":{\\"build\\":\\"tsc\\",}\\n}"',
    [],
  ],
  ['npm/command-not-found', 'The command “vite” does not exist in the image', []],
  ['npm/lock-out-of-step', 'package-lock.json does not match package.json: is-odd@3.0.1', []],
  ['npm/missing-script', 'package.json has no script “build”', []],
  [
    'npm/no-lock',
    'The build failed: The `npm ci` command can only install with an existing package-lock.json or npm-shrinkwrap.json with lockfileVersion >= 1. Run an install with npm@5 or later to generate a package-lock.json file, then try again.',
    [],
  ],
  [
    'npm/no-such-package',
    'npm finds no package @ink-nobody/not-there@1.0.0 in the registry (404 Not Found), or may not read it',
    [],
  ],
  ['npm/no-such-version', 'The build failed: No matching version found for is-number@99.0.0.', []],
  [
    'npm/peer-conflict',
    'Peer dependency conflict: react-dom@18.2.0 wants react@"^18.2.0", but react@17.0.2 is installed (npm cannot resolve the dependency tree)',
    [],
  ],
  ['npm/wrong-engine', 'The Node.js or npm version does not suit: node >=99 is required, and it is 20.20.2', []],
  [
    'php/syntax',
    "The build failed: Unclosed '[' on line 3 does not match '}' in /app/index.php on line 4 (index.php:4)",
    ['index.php:4'],
  ],
  [
    'pip/build-failed',
    "The Python package could not be built: ModuleNotFoundError: No module named 'not_there_at_all'",
    [],
  ],
  [
    'pip/conflict',
    'The build failed: Cannot install -r requirements.txt (line 1) and urllib3==1.20 because these package versions have conflicting dependencies.',
    [],
  ],
  [
    'pip/no-requirements',
    "The build failed: Could not open requirements file: [Errno 2] No such file or directory: 'requirements.txt'",
    [],
  ],
  [
    'pip/no-such-version',
    'The build failed: Could not find a version that satisfies the requirement requests==99.99.99',
    [],
  ],
  ['pnpm/lock-out-of-step', 'pnpm-lock.yaml does not match package.json', []],
  ['pnpm/missing-script', 'package.json has no script “build”', []],
  [
    'pnpm/no-lock',
    'The build failed: ERR_PNPM_NO_LOCKFILE: Headless installation requires a pnpm-lock.yaml file, but none was found. Run `pnpm install` without --frozen-lockfile to create one.',
    [],
  ],
  [
    'pnpm/no-such-version',
    'The build failed: ERR_PNPM_NO_MATCHING_VERSION: No matching version found for is-number@99.0.0 while fetching it from https://registry.example/',
    [],
  ],
  ['poetry/lock-out-of-step', 'poetry.lock does not match pyproject.toml', []],
  [
    'poetry/no-such-version',
    "The build failed: Because shop depends on six (99.0.0) which doesn't match any versions, version solving failed.",
    [],
  ],
  ['port/django-localhost', 'The application listens on localhost:8000, where the platform cannot reach it', []],
  ['port/express-fixed-port', 'The application listens on port 8080, but nothing answers where the platform looks', []],
  ['port/fastify-localhost', 'The application listens on localhost:4000, where the platform cannot reach it', []],
  ['port/flask-localhost', 'The application listens on localhost:5000, where the platform cannot reach it', []],
  ['port/go-localhost', 'The application listens on localhost:8080, where the platform cannot reach it', []],
  ['port/in-use', 'The port 3000 is in use already (server.js:3)', ['server.js:3:21']],
  [
    'port/next-all-interfaces',
    'The time ran out while the new version was rolled out: it started, but did not become active',
    [],
  ],
  ['port/uvicorn-localhost', 'The application listens on localhost:8000, where the platform cannot reach it', []],
  ['port/vite-preview', 'The application listens on localhost:4173, where the platform cannot reach it', []],
  ['python/gunicorn-no-module', "The app does not start: ModuleNotFoundError: No module named 'wsgi'", []],
  [
    'python/indentation',
    'The app does not start: IndentationError: expected an indented block after function definition on line 1 (main.py, line 2) (main.py:2)',
    ['main.py:2'],
  ],
  [
    'python/missing-driver',
    "The app does not start: ModuleNotFoundError: No module named 'psycopg' (main.py:2)",
    ['main.py:2'],
  ],
  [
    'python/missing-module',
    "The app does not start: ModuleNotFoundError: No module named 'flask_nothere' (main.py:1)",
    ['main.py:1'],
  ],
  [
    'python/no-file',
    "The app does not start: /usr/local/bin/python: can't open file '/app/app.py': [Errno 2] No such file or directory",
    [],
  ],
  ['python/syntax', "The app does not start: SyntaxError: '(' was never closed (main.py:2)", ['main.py:2']],
  [
    'python/uvicorn-no-app',
    'The app does not start: Error loading ASGI app. Attribute "application" not found in module "main".',
    [],
  ],
  ['railpack/no-start-command', 'Nothing tells how to start the application: no start command was found', []],
  [
    'railpack/nothing-to-build',
    'The builder does not recognise what to build: no language was found at the top of what was deployed',
    [],
  ],
  [
    'rollup/missing-export',
    '`rollup -i src/main.js -d dist` failed: RollupError: src/main.js (1:9): "x" is not exported by "src/other.js", imported by "src/main.js".',
    ['src/main.js:1:9'],
  ],
  [
    'rollup/syntax',
    '`rollup -i src/main.js -d dist` failed: RollupError: src/main.js (1:10): Expression expected',
    ['src/main.js:1:10'],
  ],
  [
    'rollup/unresolved',
    '`rollup -i src/main.js -d dist` failed: RollupError: Could not resolve "./gone.js" from "src/main.js"',
    ['src/main.js'],
  ],
  [
    'ruby/missing-gem',
    "The build failed: <internal:/usr/lib/ruby/vendor_ruby/rubygems/core_ext/kernel_require.rb>:85:in `require': cannot load such file -- sinatra (LoadError) (app.rb:1)",
    ['app.rb:1'],
  ],
  ['ruby/syntax', "The build failed: syntax error, unexpected integer literal, expecting ')' (app.rb:2)", ['app.rb:2']],
  ['run/bun-import', "The app does not start: Cannot find module './db' from '/app/b.ts'", ['b.ts']],
  [
    'run/bun-null',
    "The app does not start: TypeError: null is not an object (evaluating 'null.y') (b.ts:1)",
    ['b.ts:1:16'],
  ],
  [
    'run/deno-env',
    'The app does not start: Uncaught (in promise) NotCapable: Requires env access to "API_KEY", run again with the --allow-env flag (server.ts:1)',
    ['server.ts:1:20'],
  ],
  [
    'run/deno-jsr',
    "The app does not start: JSR package manifest for '@acme/none' failed to load. Import 'https://jsr.example/@acme/none/meta.json' failed. (server.ts:1)",
    ['server.ts:1:19'],
  ],
  ['run/deno-missing', 'The app does not start: Module not found "file:///app/server.ts".', []],
  [
    'run/enoent',
    "The app does not start: ENOENT: no such file or directory, open '/app/certs/key.pem' (s.js:1)",
    ['s.js:1:28'],
  ],
  [
    'run/esm-export',
    "The app does not start: SyntaxError: The requested module './lib.js' does not provide an export named 'total' (server.js:1)",
    ['server.js:1'],
  ],
  [
    'run/express-mw',
    'The app does not start: TypeError: argument handler must be a function (server.js:1)',
    ['server.js:1:55'],
  ],
  [
    'run/express-path',
    'The app does not start: PathError [TypeError]: Unexpected ( at index 3: /:a(*; visit https://git.new/pathToRegexpError for info',
    [],
  ],
  ['run/fatal-line', 'The app does not start: could not load feature flags: 403 Forbidden', []],
  ['run/go-fatal', 'The app does not start: load config: open config/prod.yaml: no such file or directory', []],
  ['run/go-listen', 'The app does not start: listen tcp: address 80800: invalid port', []],
  [
    'run/go-nil',
    'The app does not start: runtime error: invalid memory address or nil pointer dereference (main.go:4)',
    ['main.go:4'],
  ],
  [
    'run/java-chain',
    'The app does not start: Exception in thread "main" java.lang.IllegalStateException: cannot read the price list: java.lang.NumberFormatException: For input string: "x" (src/main/java/App.java:1)',
    ['src/main/java/App.java:1'],
  ],
  ['run/java-jar', 'The app does not start: Unable to access jarfile target/app.jar', []],
  ['run/java-main', 'The app does not start: java.lang.ClassNotFoundException: com.acme.Missing', []],
  ['run/json-log', 'Connection refused: nothing answers (amqp)', []],
  [
    'run/json-undefined',
    "The app does not start: TypeError: Cannot read properties of undefined (reading 'host') (server.js:1)",
    ['server.js:1:91'],
  ],
  ['run/listen-bad', 'The app does not start: getaddrinfo ENOTFOUND 256.1.1.1', []],
  [
    'run/mongo-undefined',
    'The app does not start: MongooseError: The `uri` parameter to `openUri()` must be a string, got "undefined". Make sure the first parameter to `mongoose.connect()` or `mongoose.createConnection()` is a string. (s.js:1)',
    ['s.js:1:34'],
  ],
  [
    'run/nginx-brace',
    'The app does not start: unexpected end of file, expecting "}" in /app/nginx.conf:3',
    ['nginx.conf:3'],
  ],
  [
    'run/nginx-directive',
    'The app does not start: unknown directive "proxy_pas" in /app/nginx.conf:2',
    ['nginx.conf:2'],
  ],
  ['run/nginx-up', 'The app does not start: host not found in upstream "api:80" in /app/n.conf:2', ['n.conf:2']],
  ['run/node-nodist', 'The start command runs dist/server.js, which does not exist (Cannot find module)', []],
  ['run/pg-host', 'The app does not start: getaddrinfo ENOTFOUND db', []],
  [
    'run/php-autoload',
    "The app does not start: Failed opening required '/app/vendor/autoload.php' (include_path='.:/usr/share/php') in /app/index.php:2",
    ['index.php:2'],
  ],
  ['run/php-method', 'The app does not start: Call to undefined method A::y() in /app/i.php:2', ['i.php:2']],
  [
    'run/php-pdo',
    'The app does not start: Uncaught PDOException: could not find driver in /app/index.php:2',
    ['index.php:2'],
  ],
  [
    'run/php-type',
    'The app does not start: Uncaught TypeError: f(): Argument #1 ($x) must be of type int, string given, called in /app/index.php on line 3 and defined in /app/index.php:2 (index.php:3)',
    ['index.php:3', 'index.php:2'],
  ],
  [
    'run/py-circular',
    "The app does not start: ImportError: cannot import name 'total' from partially initialized module 'shop.orders' (most likely due to a circular import) (/app/shop/orders.py) (shop/cart.py:1)",
    ['shop/cart.py:1'],
  ],
  [
    'run/py-fastapi-db',
    "The app does not start: ModuleNotFoundError: No module named 'psycopg' (main.py:6)",
    ['main.py:6'],
  ],
  ['run/py-fastapi-refused', 'Connection refused: nothing answers (main.py:6)', ['main.py:6']],
  [
    'run/py-flask',
    'The app does not start: AssertionError: View function mapping is overwriting an existing endpoint function: a (main.py:5)',
    ['main.py:5'],
  ],
  [
    'run/py-gunicorn-noattr',
    'The app does not start: AssertionError: View function mapping is overwriting an existing endpoint function: a (main.py:5)',
    ['main.py:5'],
  ],
  ['run/py-gunicorn-nomod', "The app does not start: ModuleNotFoundError: No module named 'server'", []],
  [
    'run/py-int',
    "The app does not start: TypeError: int() argument must be a string, a bytes-like object or a real number, not 'NoneType' (main.py:2)",
    ['main.py:2'],
  ],
  [
    'run/py-json',
    'The app does not start: json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0) (m.py:2)',
    ['m.py:2'],
  ],
  ['run/py-uvicorn', 'The app does not start: Error loading ASGI app. Could not import module "shop.gone".', []],
  ['run/pydantic', 'Settings are missing: S requires the environment variable stripe_key (m.py:5)', ['m.py:5']],
  ['run/redis-host', 'The app does not start: Unhandled error event: Error: getaddrinfo ENOTFOUND cache', []],
  [
    'run/reject-object',
    'The app does not start: UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reas…',
    [],
  ],
  ['run/ruby-fetch', "The app does not start: a.rb:3:in `fetch': key not found: :b (KeyError)", ['a.rb:3']],
  [
    'run/ruby-name',
    "The app does not start: app.rb:3:in `x': undefined local variable or method `foo' for #<A:0x00007f2edf7237f0> (NameError)",
    ['app.rb:3'],
  ],
  [
    'run/ruby-relative',
    "The app does not start: app.rb:1:in `require_relative': cannot load such file -- /app/lib/cart (LoadError)",
    ['app.rb:1'],
  ],
  [
    'run/ruby-type',
    "The app does not start: app.rb:3:in `+': nil can't be coerced into Integer (TypeError)",
    ['app.rb:3'],
  ],
  [
    'run/ruby-yaml',
    "The app does not start: /usr/lib/ruby/3.1.0/psych.rb:455:in `parse': (c.yml): mapping values are not allowed in this context at line 2 column 6 (Psych::SyntaxError) (y.rb:1)",
    ['y.rb:1'],
  ],
  [
    'run/rust-expect',
    'The app does not start: PORT must be a number: ParseIntError { kind: InvalidDigit } (src/main.rs:1)',
    ['src/main.rs:1:82'],
  ],
  ['run/sh-source', 'The app does not start: s.sh: 3: .: cannot open ./env.sh: No such file', []],
  ['run/sh-syntax', 'The app does not start: s.sh: 3: Syntax error: end of file unexpected (expecting "fi")', []],
  ['run/sh-unset', 'The environment variable DATABASE_URL is missing', []],
  [
    'run/sqlite-open',
    'The app does not start: sqlite3.OperationalError: unable to open database file (m.py:2)',
    ['m.py:2'],
  ],
  [
    'run/zod',
    'The environment variable STRIPE_KEY is missing or not as the schema (zod) requires (s.js:1)',
    ['s.js:1:64'],
  ],
  ['script/make-no-target', "The build failed: make: *** No rule to make target 'build'. Stop.", []],
  [
    'script/no-file',
    './start.sh cannot be executed: it is missing in the image, or its first line ends with a Windows line ending (CRLF)',
    [],
  ],
  ['script/not-executable', './start.sh may not be executed (permission denied)', []],
  [
    'typescript/errors',
    "`tsc -p .` failed: error TS2322: Type 'string' is not assignable to type 'number'. (src/app.ts:1)",
    ['src/app.ts:1:7', 'src/app.ts:3:10', 'src/app.ts:3:20'],
  ],
  [
    'typescript/errors-pretty',
    "The build failed: error TS2322: Type 'string' is not assignable to type 'number'. (src/app.ts:1)",
    ['src/app.ts:1:7', 'src/app.ts:3:10', 'src/app.ts:3:20'],
  ],
  [
    'typescript/errors-v6',
    "The build failed: error TS2322: Type 'string' is not assignable to type 'number'. (src/app.ts:1)",
    ['src/app.ts:1:7', 'src/app.ts:3:10', 'src/app.ts:3:20'],
  ],
  [
    'typescript/no-inputs',
    "The build failed: error TS18003: No inputs were found in config file '/app/tsconfig.json'. Specified 'include' paths were '[\"src\"]' and 'exclude' paths were '[]'.",
    [],
  ],
  [
    'typescript/syntax',
    "The build failed: error TS1005: ':' expected. (src/app.ts:2)",
    ['src/app.ts:2:10', 'src/app.ts:3:1', 'src/app.ts:4:1'],
  ],
  ['uv/lock-out-of-step', 'uv.lock does not match pyproject.toml', []],
  [
    'uv/no-lock',
    'The build failed: Unable to find lockfile at `uv.lock`, but `--frozen` was provided. To create a lockfile, run `uv lock` or `uv sync` without the flag.',
    [],
  ],
  [
    'uv/no-such-version',
    "The build failed: No solution found when resolving dependencies: Because there is no version of six==99.0.0 and your project depends on six==99.0.0, we can conclude that your project's requirements are unsatisfiable.",
    [],
  ],
  [
    'vite/missing-export',
    '`vite build` failed: [MISSING_EXPORT] "x" is not exported by "src/other.ts". (src/main.ts:1)',
    ['src/main.ts:1:10'],
  ],
  ['vite/no-index', '`vite build` failed: [UNRESOLVED_ENTRY] Cannot resolve entry module index.html.', []],
  [
    'vite/syntax',
    '`vite build` failed: [builtin:vite-transform] Unexpected token (src/main.ts:2)',
    ['src/main.ts:2:12'],
  ],
  [
    'vite/unresolved-import',
    "`vite build` failed: [UNRESOLVED_IMPORT] Could not resolve './gone' in src/main.ts (src/main.ts:1)",
    ['src/main.ts:1:19'],
  ],
  [
    'vite/unresolved-package',
    '`vite build` failed: Rolldown failed to resolve import "not-installed" from "/app/src/main.ts".',
    ['src/main.ts'],
  ],
  [
    'webpack/syntax',
    '`webpack --mode production` failed: Module parse failed: Unexpected token (2:11) (src/index.js:2)',
    ['src/index.js:2:11'],
  ],
  [
    'webpack/unresolved',
    "`webpack --mode production` failed: Module not found: Error: Can't resolve './gone' in '/app/src' (src/index.js:1)",
    ['src/index.js:1:1'],
  ],
  ['yarn/berry-lock-out-of-step', 'yarn.lock does not match package.json', []],
  ['yarn/berry-missing-script', 'package.json has no script “build”', []],
  [
    'build/docusaurus-links',
    'The build failed: Unable to build website for locale en: Docusaurus found broken links!',
    [],
  ],
  ['build/time-before-bar', 'The command “react-scripts” does not exist in the image', []],
  [
    'bundler/platform-missing',
    'The build failed: Your bundle only supports platforms ["arm64-darwin-23"] but your local platform is x86_64-linux. Add the current platform to the lockfile with',
    [],
  ],
  ['pip/no-pg-config', 'The Python package could not be built: Error: pg_config executable not found.', []],
  ['run/spring-port-in-use', 'The port 8080 is in use already', []],
  ['yarn/berry-no-such-version', 'The build failed: is-number@npm:99.0.0: No candidates found', []],
  ['yarn/classic-lock-out-of-step', 'yarn.lock does not match package.json', []],
  ['yarn/classic-missing-script', 'package.json has no script “build”', []],
  [
    'yarn/classic-no-such-version',
    'The build failed: Couldn\'t find any versions for "is-number" that matches "99.0.0"',
    [],
  ],
]

/** What the platform says in its error message, without a log. */
const SAID: readonly (readonly [string, string])[] = [
  ['HTTP 402: payment required', 'The ml.ink account cannot pay for this deployment'],
  ['service limit reached: 5 of 5', 'The account’s limit is reached: service limit reached: 5 of 5'],
  ['failed to start deployment: unknown region "mars-1"', 'The region “mars-1” is unknown or not available'],
  ['region "us-1" is not available (status=draining)', 'The region “us-1” is unknown or not available'],
  [
    'build failed: root_directory "apps/web" not found',
    'The root directory “apps/web” does not exist in what was deployed',
  ],
  [
    'failed to compute cache key: failed to calculate checksum of ref: "/app/dist": not found',
    'app/dist does not exist where the image is put together',
  ],
  ['container exceeded its memory limit', 'Out of memory: the process was killed (exit code 137)'],
  [
    'clone failed: repository not found: me/shop-ab12',
    'The build failed: clone failed: repository not found: me/shop-ab12',
  ],
  [
    "git clone failed: exit status 128\noutput: Cloning into '/tmp/build-1'...\nremote: git command failed\nfatal: unable to access 'http://git/me/shop.git/': The requested URL returned error: 500\n",
    "The build failed: git clone failed: unable to access 'http://git/me/shop.git/': The requested URL returned error: 500",
  ],
  [
    "git clone failed: exit status 128\noutput: Cloning into '/tmp/build-1'...\nerror: RPC failed; HTTP 504 curl 22 The requested URL returned error: 504\nfatal: early EOF\n",
    'The build failed: git clone failed: RPC failed; HTTP 504 curl 22 The requested URL returned error: 504',
  ],
  ['clone failed: exit status 128\nfatal: early EOF', 'The build failed: clone failed: early EOF'],
  [
    'COPY failed: file not found in build context or excluded by .dockerignore: stat dist: file does not exist',
    'dist does not exist where the image is put together',
  ],
  [
    'activity StartToClose timeout: the build took too long',
    'The build took longer than the platform allows (10 minutes)',
  ],
  [
    'child workflow execution error (type: BuildServiceWorkflow, workflowID: build-1, runID: 2, initiatedEventID: 3, startedEventID: 4): activity error (type: Resolve, scheduledEventID: 5, startedEventID: 6, identity: 1@builder@): dockercompose build pack is not supported on k8s (type: wrapError, retryable: true): dockercompose build pack is not supported on k8s (type: wrapError, retryable: true)',
    'The platform does not build from Docker Compose files',
  ],
  [
    'container exited with code 1 before accepting connections',
    'The application stopped with exit code 1 without saying why',
  ],
  [
    'timed out waiting for rollout: nothing accepts connections on $PORT on 0.0.0.0',
    'The container started, but never accepted connections on its port',
  ],
]

const placesOf = (sample: string) =>
  diagnose(failureOf(sample)).annotations.map(({ file, line, column }) =>
    [file, line, column].filter((part) => part !== undefined).join(':'),
  )

describe('the cause of a failure', () => {
  it.each(KNOWN)('in %s is: %s', (sample, cause, places) => {
    const diagnosis = diagnose(failureOf(sample))
    expect(diagnosis.cause).toBe(cause)
    expect(placesOf(sample).slice(0, 3)).toEqual(places)
    expect(diagnosis.hint).not.toBe('')
  })

  it.each(SAID)('is read off the platform’s own words: %s', (errorMessage, cause) => {
    const phase = /exited|rollout/.test(errorMessage) ? 'run' : 'build'
    expect(diagnose({ ...failureOf('none'), errorMessage, phase }).cause).toBe(cause)
  })

  it('is known for every sample', () => {
    const failing = SAMPLES.filter((sample) => !sample.startsWith('healthy/'))
    expect(KNOWN.map(([sample]) => sample).toSorted()).toEqual(failing)
  })

  it('is not made up from the log of a build that succeeded', () => {
    const healthy = SAMPLES.filter((sample) => sample.startsWith('healthy/'))
    expect(healthy.length).toBeGreaterThan(5)
    const found = healthy.map((sample) => [
      sample,
      diagnose({ ...failureOf('none'), deployLogs: sampleLines(sample) }).found,
    ])
    expect(found).toEqual(healthy.map((sample) => [sample, false]))
  })

  it.each(KNOWN.filter(([sample]) => !sample.startsWith('buildkit/')))(
    'of %s is the same under the prefixes of BuildKit, and when the platform tries twice',
    (sample, cause, places) => {
      const failure = failureOf(sample)
      const prefixed = failure.deployLogs.map((line, index) => `#9 ${index}.250 ${line}`)
      const tried =
        prefixed.length === 0 ? [] : [...prefixed, '#9 ERROR: process "x" did not complete successfully: exit code: 1']
      const diagnosis = diagnose({
        ...failure,
        deployLogs: [...tried, ...tried],
        runtimeLogs: failure.runtimeLogs.map((line) => `2026-11-22T10:04:05.123456Z ${line}`),
      })
      const plain = (text: string) => text.replace(/^(?:The build|`x`) failed/, 'failed')
      expect(plain(diagnosis.cause)).toBe(plain(cause))
      expect(diagnosis.annotations.length).toBeGreaterThanOrEqual(places.length)
    },
  )

  it('keeps the samples free of this and any machine’s paths', () => {
    const foreign = SAMPLES.filter((sample) =>
      /\/home\/(?!app|node)|\/Users\/|\/root\/\.\w+\/versions|\/tmp\/lab/.test(sampleLines(sample).join('\n')),
    )
    expect(foreign).toEqual([])
    expect(readdirSync(new URL('./samples', import.meta.url)).length).toBeGreaterThan(30)
  })
})
